import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../../clickhouse/errors.ts';
import type { Reservation } from '../../memory-budget.ts';
import type { CallsQueryReq, CallsQueryStatsReq, CallsQueryStatsRes } from '../../openapi-types.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import { runInSlices } from '../../slices/run-in-slices.ts';
import type { TurnQueue } from '../../queues/turn-queue.ts';
import { type CostSources, readCallCosts } from './call-costs.ts';
import { readCallDetails } from './call-details.ts';
import { type BatchDetails, type LineOptions, toLines } from './call-json.ts';
import { findListedTraces, type ListPlace } from './find-listed-traces.ts';
import { type ListParameters, toListParameters } from './list-filter.ts';
import { readTogether } from '../query/read-together.ts';
import { readDescribedCalls } from './stored-usage.ts';

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

/** What is read before it is needed. */
interface ReadAhead {
  /** Of the next batch only: a list may wait for its client for long, and old prices are not to be kept for it. */
  prices: PriceSnapshot | undefined;
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
    const ahead: ReadAhead = { prices: undefined };
    for await (const calls of this.#findCalls(request, ahead, context)) {
      const found = context.reservation.bytes;
      let batchCalls = this.#options.limits.batchCalls;
      for (let start = 0; start < calls.length;) {
        const batch = calls.slice(start, start + batchCalls);
        try {
          const read = await this.#readBatch(request, batch, ahead, context);
          yield await runInSlices(toLines(batch, read, lineOptions), context.signal);
          start += batch.length;
        } catch (error) {
          if (!(error instanceof ResultTooLargeError) || batch.length === 1) throw error;
          batchCalls = Math.ceil(batch.length / 2);
        }
        context.reservation.resize(found);
      }
    }
  }

  /** Finds the calls of the list in order, batch by batch. Prices of the first ones are read at the same time. */
  async *#findCalls(
    request: CallsQueryReq,
    ahead: ReadAhead,
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
      const isFirst = last === undefined;
      const calls = await this.#read(context, async ({ signal, reserve }) => {
        const [calls, prices] = await readTogether<[ListedCall[], PriceSnapshot | undefined]>(
          signal,
          [
            (signal) => this.#readCalls(filter, place, { signal, reserve }),
            async (signal) => (isFirst ? await this.#readPrices(request, signal) : undefined),
          ],
        );
        ahead.prices = prices;
        return calls;
      });
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
    options: Required<ReadOptions>,
  ): Promise<ListedCall[]> {
    const { clickhouse, rulesVersion } = this.#options;
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
  }

  /** Reads the details of calls and, at the same time, what they cost, if requested. */
  async #readBatch(
    request: CallsQueryReq,
    calls: readonly ListedCall[],
    ahead: ReadAhead,
    context: ListContext,
  ): Promise<BatchDetails> {
    const { clickhouse, costs } = this.#options;
    const { project_id } = request;
    const parameters = {
      project_id,
      trace_ids: [...new Set(calls.map(({ trace_id }) => trace_id))],
      keys: calls.map(({ key }) => key),
      ...toSelection(request.columns),
    };
    return await this.#read(context, async ({ signal, reserve }) => {
      const prices = ahead.prices ?? (await this.#readPrices(request, signal));
      ahead.prices = undefined;
      if (prices === undefined) {
        const details = await readCallDetails(clickhouse, parameters, { signal, reserve });
        return { details, costs: undefined };
      }
      const described = await readDescribedCalls(clickhouse, parameters, prices.boundaries, {
        ...{ signal, reserve, reserveUsage: this.#toReserve(context) },
      });
      const priced = { projectId: project_id, prices };
      const options = { signal, reserve: this.#toReserve(context) };
      return {
        details: described.details,
        costs: await readCallCosts(costs.live, priced, described, options),
      };
    });
  }

  /** Undefined unless costs are requested. */
  async #readPrices(
    { project_id, include_costs, columns }: CallsQueryReq,
    signal: AbortSignal,
  ): Promise<PriceSnapshot | undefined> {
    if (include_costs !== true || !toSelection(columns).with_summary) return undefined;
    return await this.#options.costs.prices.current(project_id, signal);
  }

  /** Waits for its turn, and reserves what is read. */
  async #read<Result>(
    context: ListContext,
    read: (options: Required<ReadOptions>) => Promise<Result>,
  ): Promise<Result> {
    const { reservation, signal } = context;
    return await this.#options.queue.run(reservation.key, signal, (signal) =>
      read({ signal, reserve: this.#toReserve(context) }),
    );
  }

  /** Reserves what one or several reads take. */
  #toReserve({ reservation }: ListContext): Required<ReadOptions>['reserve'] {
    let held = 0;
    return (bytes) => {
      held += bytes * memoryPerByte;
      if (held > this.#options.limits.maxRowBytes) {
        throw new ResultTooLargeError('The rows take too much memory');
      }
      reservation.resize(reservation.bytes + bytes * memoryPerByte);
    };
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
