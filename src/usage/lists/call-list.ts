import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../../clickhouse/errors.ts';
import type { Reservation } from '../../memory-budget.ts';
import type { CallsQueryReq, CallsQueryStatsReq, CallsQueryStatsRes } from '../../openapi-types.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import type { TurnQueue } from '../../queues/turn-queue.ts';
import { type CostSources, readCallCosts } from './call-costs.ts';
import { type CallDetails, readCallDetails } from './call-details.ts';
import { type LineOptions, toCallLine } from './call-json.ts';
import { findListedTraces, type ListPlace } from './find-listed-traces.ts';
import { type ListParameters, toListParameters } from './list-filter.ts';

interface ListLimits {
  /** Calls whose details are read at a time. */
  readonly batchCalls: number;
  /** Memory of what is read at a time, as the memory budget counts it. */
  readonly maxRowBytes: number;
}

export interface CallListOptions {
  readonly clickhouse: ClickHouse;
  /** Of the rollups that may be used; null for none. */
  readonly rulesVersion: string | null;
  readonly queue: TurnQueue;
  readonly costs: CostSources;
  readonly limits: ListLimits;
}

/** What a list is written with. */
export interface ListContext {
  /** Has what is held of the list at the moment. */
  readonly reservation: Reservation;
  readonly signal: AbortSignal;
}

/** A call in the order of a list; the numbers are text. */
export interface ListedCall {
  readonly trace_id: string;
  readonly key: string;
  readonly sort_us: string;
}

/** What rows and their lines take for each byte of their text. */
const memoryPerByte = 3;

/** How many calls are found at a time: finding them may take a read of all keys, so there are more than of details. */
const callsPerSearch = 50_000;

/**
 * Answers POST /calls/stream_query. Calls are found in batches in the order of the list, and their details are read in smaller
 * ones, no faster than the client takes the lines: whatever the length of a list, the service holds one batch of each.
 */
export class CallList {
  readonly #options: CallListOptions;

  constructor(options: CallListOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the first lines are there.
   * @returns lines in pieces; reading the next one rejects as this does
   * @throws {TimeQueryError} the query is not one on times
   * @throws {QueueFullError} too many reads are queued
   * @throws {MemoryBudgetError} there is no memory for the rows
   * @throws the same errors as {@link ClickHouse.read}
   */
  async open(request: CallsQueryReq, context: ListContext): Promise<AsyncIterable<string>> {
    const lines = this.#writeLines(request, context);
    const first = await lines.next();
    return (async function* () {
      if (first.done !== true) yield first.value;
      yield* lines;
    })();
  }

  /** Answers POST /calls/query_stats; throws as {@link CallList.open}. */
  async count(request: CallsQueryStatsReq, context: ListContext): Promise<CallsQueryStatsRes> {
    const { limit = null } = request;
    return await this.#read(context, async (options) => {
      const parameters = await toListParameters(this.#options.clickhouse, request, options);
      const max_calls = limit ?? Number.MAX_SAFE_INTEGER;
      const rows = await this.#options.clickhouse.read<{ calls: string }>(
        'count_calls',
        { ...parameters, max_calls },
        options,
      );
      const count = Number(rows[0]?.calls ?? 0);
      return { count, has_more: limit !== null && count >= limit, total_storage_size_bytes: null };
    });
  }

  async *#writeLines(request: CallsQueryReq, context: ListContext): AsyncGenerator<string, void> {
    const lineOptions = toLineOptions(request);
    for await (const calls of this.#findCalls(request, context)) {
      const found = context.reservation.bytes;
      let batchCalls = this.#options.limits.batchCalls;
      for (let start = 0; start < calls.length;) {
        const batch = calls.slice(start, start + batchCalls);
        try {
          const details = await this.#readDetails(request, batch, context);
          const costs = await this.#readCosts(request, details, context);
          yield await runInSlices(toLines(batch, { details, costs }, lineOptions), context.signal);
          start += batch.length;
        } catch (error) {
          if (!(error instanceof ResultTooLargeError) || batch.length === 1) throw error;
          batchCalls = Math.ceil(batch.length / 2);
        }
        context.reservation.resize(found);
      }
    }
  }

  /** Finds the calls of the list in order, batch by batch. */
  async *#findCalls(
    request: CallsQueryReq,
    context: ListContext,
  ): AsyncGenerator<readonly ListedCall[], void> {
    const [sort] = request.sort_by ?? [];
    const order: Pick<ListPlace, 'by_end' | 'direction'> = {
      by_end: sort?.field === 'ended_at',
      direction: sort?.direction === 'desc' ? -1 : 1,
    };
    const filter = await this.#read(context, (options) =>
      toListParameters(this.#options.clickhouse, request, options),
    );
    let remaining = request.limit ?? Infinity;
    let offset = request.offset ?? 0;
    let last: ListedCall | undefined;
    while (remaining > 0) {
      context.reservation.resize(0);
      const max_calls = Math.min(remaining, callsPerSearch);
      const place = { ...order, ...toPlace(last), max_calls, offset };
      const calls = await this.#readCalls(filter, place, context);
      yield calls;
      if (calls.length < max_calls) return;
      last = calls.at(-1);
      remaining -= calls.length;
      offset = 0;
    }
  }

  /** Reads the calls of few traces if rollups say in which ones they are, and those of all traces otherwise. */
  async #readCalls(
    filter: ListParameters,
    place: ListPlace,
    context: ListContext,
  ): Promise<ListedCall[]> {
    const { clickhouse, rulesVersion } = this.#options;
    return await this.#read(context, async (options) => {
      const read = (of: ListParameters): Promise<ListedCall[]> =>
        clickhouse.read<ListedCall>('list_calls', { ...of, ...place }, options);
      const traces =
        rulesVersion === null
          ? null
          : await findListedTraces(clickhouse, rulesVersion, { filter, place }, options);
      if (traces === null) return await read(filter);
      const { traceIds, isAll } = traces;
      const calls =
        traceIds.length === 0
          ? []
          : await read({ ...filter, has_trace_ids: true, trace_ids: traceIds });
      // Fewer calls than there were: some have been deleted since, and later ones take their places.
      return isAll || calls.length === place.max_calls ? calls : await read(filter);
    });
  }

  async #readDetails(
    request: CallsQueryReq,
    calls: readonly ListedCall[],
    context: ListContext,
  ): Promise<CallDetails[]> {
    const { clickhouse } = this.#options;
    const { project_id } = request;
    const parameters = {
      project_id,
      trace_ids: [...new Set(calls.map(({ trace_id }) => trace_id))],
      keys: calls.map(({ key }) => key),
      ...toSelection(request.columns),
    };
    return await this.#read(context, (options) => readCallDetails(clickhouse, parameters, options));
  }

  /** JSON by the key of each call with usage; undefined unless requested. */
  async #readCosts(
    { project_id, include_costs, columns }: CallsQueryReq,
    details: readonly CallDetails[],
    context: ListContext,
  ): Promise<ReadonlyMap<string, string> | undefined> {
    const hasSummary = toSelection(columns).with_summary;
    if (include_costs !== true || !hasSummary || details.length === 0) return undefined;
    return await this.#read(context, (options) =>
      readCallCosts(this.#options.costs, project_id, details, options),
    );
  }

  /** Waits for its turn, and reserves what is read. */
  async #read<Result>(
    { reservation, signal }: ListContext,
    read: (options: { signal: AbortSignal; reserve: (bytes: number) => void }) => Promise<Result>,
  ): Promise<Result> {
    const before = reservation.bytes;
    const reserve = (bytes: number): void => {
      const total = reservation.bytes + bytes * memoryPerByte;
      if (total - before > this.#options.limits.maxRowBytes) {
        throw new ResultTooLargeError('The rows take too much memory');
      }
      reservation.resize(total);
    };
    return await this.#options.queue.run(reservation.key, signal, (signal) =>
      read({ signal, reserve }),
    );
  }
}

/** The call behind which the next ones are. */
function toPlace(last: ListedCall | undefined) {
  return {
    is_continued: last !== undefined,
    after_us: last?.sort_us ?? 0,
    after_trace: last?.trace_id ?? '',
    after_key: last?.key ?? '0',
  };
}

/** Columns by their first name: of `summary.usage`, the whole summary is answered. */
function toColumns(columns: CallsQueryReq['columns']): ReadonlySet<string> | null {
  if (columns === null || columns === undefined || columns.length === 0) return null;
  return new Set(columns.map((column) => column.split('.', 1)[0] ?? ''));
}

function toSelection(requested: CallsQueryReq['columns']) {
  const columns = toColumns(requested);
  const has = (name: string): boolean => columns === null || columns.has(name);
  return {
    with_attributes: has('attributes'),
    with_inputs: has('inputs'),
    with_output: has('output'),
    with_summary: has('summary'),
  };
}

function toLineOptions(request: CallsQueryReq): Omit<LineOptions, 'costs'> {
  return {
    projectId: request.project_id,
    columns: toColumns(request.columns),
    withFeedback: request.include_feedback ?? false,
  };
}

interface BatchDetails {
  readonly details: readonly CallDetails[];
  readonly costs: ReadonlyMap<string, string> | undefined;
}

/** The lines of calls in the order of the list. */
function* toLines(
  calls: readonly ListedCall[],
  { details, costs }: BatchDetails,
  options: Omit<LineOptions, 'costs'>,
): Steps<string> {
  const byKey = new Map(details.map((call) => [call.key, call]));
  let lines = '';
  for (const { key } of calls) {
    const call = byKey.get(key);
    const costsOfCall = costs && (costs.get(key) ?? '{}');
    if (call !== undefined) lines += toCallLine(call, { ...options, costs: costsOfCall });
    yield;
  }
  return lines;
}
