import type { ClickHouse, ReadOptions } from '../../../clickhouse/clickhouse.ts';
import { DamagedDataError } from '../../../clickhouse/errors.ts';
import { noBoundaries, type PriceBoundaries } from '../../../prices/snapshot/price-level.ts';
import { append, runInSlices, type Steps } from '../../../slices/run-in-slices.ts';
import { areQuarters } from '../../rollups/query-group-rollups.ts';
import { repairRolledUp } from '../../query/read-repair.ts';
import { readTogether } from '../../query/read-together.ts';
import { toGroupParameters } from './live-source.ts';
import { toNameFilter } from '../stats-filter.ts';
import type { StatsQuery } from '../stats-query.ts';
import type {
  CallStatsQuery,
  CallStatsRow,
  StatsOfBoth,
  StatsRows,
  StatsSource,
  UsageStatsQuery,
  UsageStatsRow,
} from './stats-source.ts';

/** With more traces to be read live than this, all are: their ids are parameters. */
const maxLiveTraces = 50_000;

/** What rollups say of a request. */
interface RollupAnswer {
  readonly usage: readonly UsageStatsRow[];
  readonly calls: readonly CallStatsRow[];
  /** The traces that have to be read live; null if these are all. */
  readonly liveTraceIds: readonly string[] | null;
}

const allLive: RollupAnswer = { usage: [], calls: [], liveTraceIds: null };

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
    if (!tellsUsage(query)) return await this.#live.readUsage(query, options);
    const answer = await this.#read(query, query.boundaries, options);
    return await this.#addLiveUsage(answer, query, options);
  }

  /** @throws the same errors as {@link ClickHouse.read} */
  async readCalls(query: CallStatsQuery, options: ReadOptions): Promise<StatsRows<CallStatsRow>> {
    if (!tellsCalls(query)) return await this.#live.readCalls(query, options);
    const answer = await this.#read(query, noBoundaries, options);
    return await this.#addLiveCalls(answer, query, options);
  }

  /** @throws the same errors as {@link RollupSource.readUsage} */
  async readBoth(
    query: UsageStatsQuery & CallStatsQuery,
    options: ReadOptions,
  ): Promise<StatsOfBoth> {
    if (!tellsUsage(query) || !tellsCalls(query)) {
      const usage = await this.readUsage(query, options);
      return { usage, calls: await this.readCalls(query, options) };
    }
    const answer = await this.#read(query, query.boundaries, options);
    const usage = await this.#addLiveUsage(answer, query, options);
    return { usage, calls: await this.#addLiveCalls(answer, query, options) };
  }

  async #addLiveUsage(
    { usage: rows, liveTraceIds }: RollupAnswer,
    query: UsageStatsQuery,
    options: ReadOptions,
  ): Promise<StatsRows<UsageStatsRow>> {
    const readLive = (rest: UsageStatsQuery) => this.#live.readUsage(rest, options);
    return await addLive({ rows, liveTraceIds }, query, readLive, options.signal);
  }

  async #addLiveCalls(
    { calls: rows, liveTraceIds }: RollupAnswer,
    query: CallStatsQuery,
    options: ReadOptions,
  ): Promise<StatsRows<CallStatsRow>> {
    const readLive = (rest: CallStatsQuery) => this.#live.readCalls(rest, options);
    return await addLive({ rows, liveTraceIds }, query, readLive, options.signal);
  }

  /** Looks for orphan ends at the same time, and reads again if there were any. */
  async #read(
    query: StatsQuery,
    boundaries: PriceBoundaries,
    { signal = new AbortController().signal, ...options }: ReadOptions,
  ): Promise<RollupAnswer> {
    const parameters = { ...this.#toParameters(query), ...boundaries };
    const read = (signal: AbortSignal) => this.#readRollups(parameters, { ...options, signal });
    const { project_id, rules_version } = parameters;
    const window = { project_id, rules_version, ...allTimes };
    const [first, isRepaired] = await readTogether<[RollupAnswer, boolean]>(signal, [
      read,
      (signal) => repairRolledUp(this.#clickhouse, window, { ...options, signal }),
    ]);
    return isRepaired ? await read(signal) : first;
  }

  async #readRollups(
    parameters: Readonly<Record<string, unknown>>,
    options: ReadOptions & { readonly signal: AbortSignal },
  ): Promise<RollupAnswer> {
    const rows = await this.#clickhouse
      .read<RollupRow>('stats_rollups', parameters, options)
      .catch((error: unknown) => {
        // All that rollups have is in other tables, too. If one of those cannot be read, the live answer says so.
        if (error instanceof DamagedDataError) return null;
        throw error;
      });
    return rows === null ? allLive : await runInSlices(toAnswer(rows), options.signal);
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

/** In microseconds since 1970. */
const allTimes = { start_us: -(2n ** 63n), end_us: 2n ** 63n - 1n };

/** Whether rollups have what is requested of usage. */
function tellsUsage({ boundaries, withValues, ...query }: UsageStatsQuery): boolean {
  return !withValues && areQuarters(boundaries.price_minutes) && isToldByNames(query);
}

/** Whether rollups have what is requested of calls. */
function tellsCalls({ withLatencies, ...query }: CallStatsQuery): boolean {
  return !withLatencies && isToldByNames(query);
}

/** Whether the filter is about what all calls of a group have in common: not about calls, their parents or roots. */
function isToldByNames({ filter }: StatsQuery): boolean {
  const { call_ids, parent_ids, trace_roots_only } = filter;
  return trace_roots_only !== true && !call_ids?.length && !parent_ids?.length;
}

/** A row of stats_rollups.sql. */
interface RollupRow extends UsageStatsRow, CallStatsRow {
  readonly live_trace_ids: readonly string[];
}

function* toAnswer(read: readonly RollupRow[]): Steps<RollupAnswer> {
  const usage: UsageStatsRow[] = [];
  const calls: CallStatsRow[] = [];
  const liveTraceIds: string[] = [];
  for (const row of read) {
    if (row.entries !== '0') usage.push(row);
    if (row.calls !== '0') calls.push(row);
    yield* append(liveTraceIds, row.live_trace_ids);
    yield;
  }
  return liveTraceIds.length > maxLiveTraces ? allLive : { usage, calls, liveTraceIds };
}

/** Adds the rows of the traces that have to be read live. */
async function addLive<Row, Query extends StatsQuery>(
  { rows, liveTraceIds }: Pick<RollupAnswer, 'liveTraceIds'> & { readonly rows: readonly Row[] },
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
