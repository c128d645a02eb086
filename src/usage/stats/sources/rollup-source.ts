import type { ClickHouse, ReadOptions } from '../../../clickhouse/clickhouse.ts';
import { DamagedDataError } from '../../../clickhouse/errors.ts';
import { noBoundaries } from '../../../prices/snapshot/price-level.ts';
import { append, runInSlices, type Steps } from '../../../slices/run-in-slices.ts';
import { areQuarters } from '../../rollups/query-group-rollups.ts';
import { repairOrphanEnds } from '../../query/read-repair.ts';
import { toGroupParameters } from './live-source.ts';
import { toNameFilter } from '../stats-filter.ts';
import type { StatsQuery } from '../stats-query.ts';
import type {
  CallStatsQuery,
  CallStatsRow,
  StatsRows,
  StatsSource,
  UsageStatsQuery,
  UsageStatsRow,
} from './stats-source.ts';

/** With more traces to be read live than this, all are: their ids are parameters. */
const maxLiveTraces = 50_000;

/** What rollups say of a request. */
interface RollupAnswer<Row> {
  readonly rows: readonly Row[];
  /** The traces that have to be read live; null if these are all. */
  readonly liveTraceIds: readonly string[] | null;
  /** Calls whose end may have arrived without a trace. */
  readonly openCallIds: readonly string[];
}

const allLive: RollupAnswer<never> = { rows: [], liveTraceIds: null, openCallIds: [] };

/**
 * Reads statistics from the rollups of traces. Traces without a valid rollup, or of which it does not say enough, are read from
 * the live source, and both are added: traces that changed a moment ago, for example, or that have calls on both sides of an
 * edge of the window within a quarter of an hour.
 */
export class RollupSource implements StatsSource {
  readonly #clickhouse: ClickHouse;
  readonly #rulesVersion: string;
  readonly #live: StatsSource;

  constructor(clickhouse: ClickHouse, rulesVersion: string, live: StatsSource) {
    this.#clickhouse = clickhouse;
    this.#rulesVersion = rulesVersion;
    this.#live = live;
  }

  /** @throws the same errors as the live source, about the traces that it reads */
  async readUsage(query: UsageStatsQuery, options: ReadOptions): Promise<StatsRows<UsageStatsRow>> {
    const { projectId, boundaries, withValues } = query;
    const readLive = (rest: UsageStatsQuery) => this.#live.readUsage(rest, options);
    if (withValues || !areQuarters(boundaries.price_minutes) || !isToldByNames(query)) {
      return await readLive(query);
    }
    const parameters = { ...this.#toParameters(query), ...boundaries };
    const read = () =>
      this.#read<UsageStatsRow>('stats_usage_rollups', parameters, hasEntries, options);
    const { signal = new AbortController().signal } = options;
    const first = await read();
    const { openCallIds } = first;
    const isRepaired = await repairOrphanEnds(this.#clickhouse, projectId, openCallIds, signal);
    return await addLive(isRepaired ? await read() : first, query, readLive, signal);
  }

  /** @throws the same errors as {@link ClickHouse.read} */
  async readCalls(query: CallStatsQuery, options: ReadOptions): Promise<StatsRows<CallStatsRow>> {
    const readLive = (rest: CallStatsQuery) => this.#live.readCalls(rest, options);
    if (query.withLatencies || !isToldByNames(query)) return await readLive(query);
    const { price_dates, prompt_sizes } = noBoundaries;
    const parameters = { ...this.#toParameters(query), price_dates, prompt_sizes };
    const answer = await this.#read<CallStatsRow>(
      'stats_calls_rollups',
      parameters,
      hasCalls,
      options,
    );
    return await addLive(answer, query, readLive, options.signal);
  }

  /** @param isCounted whether a row is more than a place for ids */
  async #read<Row>(
    name: 'stats_usage_rollups' | 'stats_calls_rollups',
    parameters: Readonly<Record<string, unknown>>,
    isCounted: (row: Row) => boolean,
    options: ReadOptions,
  ): Promise<RollupAnswer<Row>> {
    const rows = await this.#clickhouse
      .read<Row & RollupColumns>(name, parameters, options)
      .catch((error: unknown) => {
        // All that rollups have is in other tables, too. If one of those cannot be read, the live answer says so.
        if (error instanceof DamagedDataError) return null;
        throw error;
      });
    return rows === null ? allLive : await runInSlices(toAnswer(rows, isCounted), options.signal);
  }

  #toParameters(query: StatsQuery) {
    const traceIds = [...new Set(query.filter.trace_ids)];
    return {
      ...toGroupParameters(query),
      ...toNameFilter(query.filter),
      has_trace_ids: traceIds.length > 0,
      trace_ids: traceIds,
      rules_version: this.#rulesVersion,
      max_live_traces: maxLiveTraces + 1,
    };
  }
}

/** Whether the filter is about what all calls of a group have in common: not about calls, their parents or roots. */
function isToldByNames({ filter }: StatsQuery): boolean {
  const { call_ids, parent_ids, trace_roots_only } = filter;
  return trace_roots_only !== true && !call_ids?.length && !parent_ids?.length;
}

/** What a row has beside its sums. */
interface RollupColumns {
  readonly live_trace_ids: readonly string[];
  readonly open_call_ids?: readonly string[];
}

function hasEntries({ entries }: UsageStatsRow): boolean {
  return entries !== '0';
}

function hasCalls({ calls }: CallStatsRow): boolean {
  return calls !== '0';
}

function* toAnswer<Row>(
  read: readonly (Row & RollupColumns)[],
  isCounted: (row: Row) => boolean,
): Steps<RollupAnswer<Row>> {
  const rows: Row[] = [];
  const liveTraceIds: string[] = [];
  const openCallIds: string[] = [];
  for (const row of read) {
    if (isCounted(row)) rows.push(row);
    yield* append(liveTraceIds, row.live_trace_ids);
    yield* append(openCallIds, row.open_call_ids ?? []);
    yield;
  }
  return liveTraceIds.length > maxLiveTraces ? allLive : { rows, liveTraceIds, openCallIds };
}

/** Adds the rows of the traces that have to be read live. */
async function addLive<Row, Query extends StatsQuery>(
  { rows, liveTraceIds }: RollupAnswer<Row>,
  query: Query,
  readLive: (query: Query) => Promise<StatsRows<Row>>,
  signal: AbortSignal | undefined,
): Promise<StatsRows<Row>> {
  if (liveTraceIds === null) return await readLive(query);
  if (liveTraceIds.length === 0) return { rows, liveTraces: 0 };
  const filter = { ...query.filter, trace_ids: [...liveTraceIds] };
  const live = await readLive({ ...query, filter });
  const all = [...rows];
  await runInSlices(append(all, live.rows), signal);
  return { rows: all, liveTraces: live.liveTraces };
}
