import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import { noBoundaries } from '../../prices/snapshot/price-level.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import { areQuarters } from '../rollups/query-group-rollups.ts';
import { repairRolledUp } from '../query/read-repair.ts';
import { readTogether } from '../query/read-together.ts';
import type { LiveSource } from '../stats/sources/live-source.ts';
import { type PriceParameters, toPriceParameters } from './price-parameters.ts';
import { type TracesQuery, toWindowParameters } from './trace-query.ts';

/** What lists of traces are read from. */
export interface TraceSources {
  readonly clickhouse: ClickHouse;
  readonly live: Pick<LiveSource, 'readUsage'>;
  /** Of the rollups that may be used; null for none. */
  readonly rulesVersion: string | null;
  /** Null for an answer without costs. */
  readonly prices: PriceSnapshot | null;
}

/** What rollups know of the traces that match. */
export interface SettledTraces {
  readonly totals: SettledTotals;
  /** The first traces after the cursor, in order. */
  readonly page: readonly SettledPosition[];
  /** The traces that their rollups do not answer; they may be outside of the window. */
  readonly liveTraceIds: readonly string[];
}

/** Sums over all traces; integers as text. */
export interface SettledTotals {
  readonly traces: string;
  readonly calls: string;
  readonly errors: string;
  readonly unfinished_calls: string;
  readonly total_tokens: string;
  /** In units of `Money`. */
  readonly cost: string;
  readonly is_any_priced: 0 | 1;
  readonly is_any_used: 0 | 1;
  readonly unpriced_models: readonly string[];
  /** Of costs and of durations in microseconds. */
  readonly around_percentiles: readonly [SortedValues, SortedValues];
}

/** How many values there are, and for each percentile how many are left out before those that are here. */
export type SortedValues = readonly [
  count: string,
  slices: readonly (readonly [skipped: string, values: readonly string[]])[],
];

/** A trace of the page, and the checksum of its rollup. */
export type SettledPosition = readonly [
  isUnknown: 0 | 1,
  sortValue: string,
  traceId: string,
  checksum: string,
];

/** The row of list_traces.sql. */
interface ListedTraces extends SettledTotals {
  readonly unknown_classes: string;
  readonly live_traces: string;
  readonly live_trace_ids: readonly string[];
  readonly page: readonly SettledPosition[];
}

/** New price classes appear with new rollups; each attempt reads the classes again. */
const maxAttempts = 5;

/** No rollup has this version. */
const noRules = '0';

/**
 * Lists the traces that their rollups answer, and finds out which have to be read live.
 * @param maxLive the most traces that may have to be
 * @throws {LiveTracesError}
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function listSettled(
  sources: TraceSources,
  query: TracesQuery,
  maxLive: number,
  options: Required<ReadOptions>,
): Promise<SettledTraces> {
  const { clickhouse, prices } = sources;
  const boundaries = prices?.boundaries ?? noBoundaries;
  const isUsable = areQuarters(boundaries.price_minutes);
  const rules_version = isUsable ? (sources.rulesVersion ?? noRules) : noRules;
  const window = { ...toWindowParameters(query), rules_version };
  const listParameters = toListParameters(query);
  const used = listParameters.with_sums ? prices : null;
  const choosePrices = (signal: AbortSignal) =>
    toPriceParameters(clickhouse, used, window, { ...options, signal });
  let [chosen] = await readTogether<[PriceParameters, boolean]>(options.signal, [
    choosePrices,
    (signal) => repairRolledUp(clickhouse, window, { ...options, signal }),
  ]);
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const parameters = {
      ...{ ...boundaries, ...chosen, ...listParameters },
      ...{ rules_version, has_trace_ids: false, trace_ids: [], max_live: maxLive },
    };
    const rows = await clickhouse.read<ListedTraces>('list_traces', parameters, options);
    const [row] = rows as [ListedTraces];
    const live = Number(row.live_traces);
    if (live > maxLive) throw new LiveTracesError(live, maxLive);
    const isPriced = used === null || row.unknown_classes === '0';
    if (isPriced) return { totals: row, page: row.page, liveTraceIds: row.live_trace_ids };
    chosen = await choosePrices(options.signal);
  }
  throw new Error(`Price classes changed ${maxAttempts} times while traces were listed`);
}

function toListParameters({ request, parameters, models, after }: TracesQuery) {
  const { field: sort_by, direction } = request.sort_by;
  return {
    ...{ ...parameters, models, sort_by, is_descending: direction === 'desc' },
    // One more than requested shows whether more follow.
    limit: request.limit + 1,
    with_sums: request.include_totals || sort_by === 'cost' || sort_by === 'total_tokens',
    after_unknown: Number(after?.isUnknown ?? false),
    after_value: String(after?.sortValue ?? minSortValue),
    after_trace: after?.traceId ?? '',
  };
}

/** Less than all numbers of traces. */
const minSortValue = -(2n ** 255n);

/** More traces have to be read call by call than one request may read. */
export class LiveTracesError extends Error {
  override readonly name = 'LiveTracesError';
  readonly traces: number;
  readonly limit: number;

  constructor(traces: number, limit: number) {
    super(`${traces} traces have no rollup, of which ${limit} are read at most`);
    this.traces = traces;
    this.limit = limit;
  }
}
