import type { ClickHouse, ReadOptions } from '../../../clickhouse/clickhouse.ts';
import { append, runInSlices, type Steps } from '../../../slices/run-in-slices.ts';
import { repairOrphanEnds } from '../../query/read-repair.ts';
import { type FilterParameters, locateFilter } from '../stats-filter.ts';
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

export interface LiveLimits {
  /** Calls of all traces that have one in the window. */
  readonly maxCalls: number;
  /** Calls that one statement reads, unless a single trace has more. */
  readonly maxBatchCalls: number;
}

/** Reads statistics from the calls themselves. */
export class LiveSource implements StatsSource {
  readonly #clickhouse: ClickHouse;
  readonly #limits: LiveLimits;

  constructor(clickhouse: ClickHouse, limits: LiveLimits) {
    this.#clickhouse = clickhouse;
    this.#limits = limits;
  }

  /**
   * Finds the traces with calls in the window, repairs orphan ends, and reads the traces in batches.
   * @throws {WindowTooLargeError} the traces have more calls than are read
   * @throws the same errors as {@link ClickHouse.read}
   */
  async readUsage(query: UsageStatsQuery, options: ReadOptions): Promise<StatsRows<UsageStatsRow>> {
    const filter = await locateFilter(this.#clickhouse, query, options);
    const found = await this.#findTraces(query, filter, options);
    const rows: UsageStatsRow[] = [];
    for (const batch of await runInSlices(this.#toBatches(found), options.signal)) {
      const { has_trace_ids: _, ...shared } = toParameters(query, filter);
      const parameters = { ...shared, ...toUsageParameters(query), trace_ids: batch.traceIds };
      const read = await this.#clickhouse.read<UsageStatsRow>(batch.statement, parameters, options);
      await runInSlices(append(rows, read), options.signal);
    }
    return { rows, liveTraces: found.length };
  }

  /** @throws the same errors as {@link ClickHouse.read} */
  async readCalls(query: CallStatsQuery, options: ReadOptions): Promise<StatsRows<CallStatsRow>> {
    const filter = await locateFilter(this.#clickhouse, query, options);
    const { withLatencies: with_latencies } = query;
    const parameters = { ...toParameters(query, filter), with_latencies };
    const rows = await this.#clickhouse.read<LiveCallRow>('stats_calls', parameters, options);
    return { rows, liveTraces: Number(rows[0]?.live_traces ?? 0) };
  }

  /** One after the other: calls are counted when orphan ends have been repaired. */
  async readBoth(
    query: UsageStatsQuery & CallStatsQuery,
    options: ReadOptions,
  ): Promise<StatsOfBoth> {
    const usage = await this.readUsage(query, options);
    return { usage, calls: await this.readCalls(query, options) };
  }

  async #findTraces(
    query: StatsQuery,
    filter: FilterParameters,
    options: ReadOptions,
  ): Promise<TraceRow[]> {
    const { group_1: _, group_2: __, bucket_starts: ___, ...shared } = toParameters(query, filter);
    const { maxCalls } = this.#limits;
    const parameters = { ...shared, max_calls: maxCalls };
    const read = async (): Promise<TraceRow[]> => {
      const traces = await this.#clickhouse.read<TraceRow>('stats_traces', parameters, options);
      const calls = BigInt(traces[0]?.all_calls ?? 0);
      if (calls > BigInt(maxCalls)) throw new WindowTooLargeError(calls, maxCalls);
      return traces;
    };
    const traces = await read();
    const { signal = new AbortController().signal } = options;
    const unfinished = await runInSlices(listUnfinished(traces), signal);
    const isRepaired = await repairOrphanEnds(
      this.#clickhouse,
      query.projectId,
      unfinished,
      signal,
    );
    return isRepaired ? await read() : traces;
  }

  /** Traces that one statement reads; ids of traces are parameters, so that there may not be too many of them either. */
  *#toBatches(traces: readonly TraceRow[]): Steps<TraceBatch[]> {
    const { maxBatchCalls } = this.#limits;
    const batches: TraceBatch[] = [];
    for (const statement of ['stats_usage', 'stats_usage_otel'] as const) {
      let calls = Infinity;
      for (const trace of traces) {
        yield;
        if (toStatement(trace) !== statement) continue;
        calls += Number(trace.calls);
        const last = batches.at(-1);
        if (last !== undefined && calls <= maxBatchCalls && last.traceIds.length < maxBatchTraces) {
          last.traceIds.push(trace.trace_id);
        } else {
          batches.push({ statement, traceIds: [trace.trace_id] });
          calls = Number(trace.calls);
        }
      }
    }
    return batches;
  }
}

const maxBatchTraces = 50_000;

interface TraceBatch {
  readonly statement: 'stats_usage' | 'stats_usage_otel';
  readonly traceIds: string[];
}

/** A row of stats_calls.sql. */
interface LiveCallRow extends CallStatsRow {
  /** Of all rows. */
  readonly live_traces: string;
}

/** A row of stats_traces.sql. */
interface TraceRow {
  readonly trace_id: string;
  readonly calls: string;
  readonly usage_modes: number;
  readonly unfinished_call_ids: readonly string[];
  readonly all_calls: string;
}

function toStatement({ usage_modes }: TraceRow): TraceBatch['statement'] {
  return (usage_modes & 2) === 0 ? 'stats_usage' : 'stats_usage_otel';
}

function* listUnfinished(traces: readonly TraceRow[]): Steps<string[]> {
  const ids: string[] = [];
  for (const { unfinished_call_ids } of traces) {
    yield* append(ids, unfinished_call_ids);
    yield;
  }
  return ids;
}

function toParameters(query: StatsQuery, filter: FilterParameters) {
  return { ...filter, ...toGroupParameters(query) };
}

/** Parameters of the fragments stats_window.sql and stats_group.sql. */
export function toGroupParameters(query: StatsQuery) {
  const { projectId: project_id, window, bucketStarts: bucket_starts, groupColumns } = query;
  const [group_1 = '', group_2 = ''] = groupColumns;
  return {
    project_id,
    start_us: window.startUs,
    end_us: window.endUs,
    bucket_starts,
    group_1,
    group_2,
  };
}

function toUsageParameters({ boundaries, withValues }: UsageStatsQuery) {
  return { ...boundaries, with_values: withValues, is_explained: false };
}

/** The traces of a window have more calls than one request may read. */
export class WindowTooLargeError extends Error {
  override readonly name = 'WindowTooLargeError';
  readonly calls: bigint;
  readonly limit: number;

  constructor(calls: bigint, limit: number) {
    super(`The traces of the window have ${calls} calls, of which ${limit} are read at most`);
    this.calls = calls;
    this.limit = limit;
  }
}
