import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../../clickhouse/errors.ts';
import type { Reservation } from '../../memory-budget.ts';
import type { TraceUsageReq } from '../../openapi-types.ts';
import { toJsonPieces } from '../../slices/json-pieces.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import type { TurnQueue } from '../../queues/turn-queue.ts';
import { readUsage } from '../calls-usage.ts';
import { LimitExceededError } from '../limits/limit-exceeded-error.ts';
import type { QueryContext, UsageSources } from '../query/query-usage.ts';
import type { UsageRow } from '../query/usage-row.ts';
import type { ListContext, ListedCall } from '../lists/call-list.ts';
import { toListParameters } from '../lists/list-filter.ts';
import { readTreeCalls, type TreeCalls } from './tree-calls.ts';
import { toTreeFragments, type TreeCall } from './tree-json.ts';
import { areWholeTrees, readWholeTrees } from './whole-trees.ts';

interface TraceUsageLimits {
  /** Sums of a request, one for each call and model. */
  readonly maxAnswerSums: number;
  readonly maxAnswerBytes: number;
  /** Memory of the rows of one request, as the memory budget counts it. */
  readonly maxRowBytes: number;
}

export interface TraceUsageOptions {
  readonly sources: UsageSources;
  readonly queue: TurnQueue;
  readonly limits: TraceUsageLimits;
}

/** The calls of an answer, and how many there are of them and beside them. */
interface SelectedCalls {
  readonly calls: readonly ListedCall[];
  readonly total: number;
}

/** What rows take for each byte of their text; those of usage take less (query-usage.ts). */
const memoryPerByte = 3;
const memoryPerUsageByte = 2;

type Options = Required<ReadOptions>;
type Prices = UsageSources['prices'];
type PricedContext = ListContext & { readonly prices: Prices };

/**
 * Answers POST /trace/usage. The steps: select the calls, find those at the top of their traces, query the usage of both, decide for each
 * trace what counts, roll up, write the answer.
 */
export class TraceUsage {
  readonly #options: TraceUsageOptions;

  constructor(options: TraceUsageOptions) {
    this.#options = options;
  }

  /**
   * @returns the JSON text of a `TraceUsageRes` in pieces
   * @throws {LimitExceededError} more calls are selected than the limit
   * @throws {RepeatedIdError} an id is in several of the traces
   * @throws {QueueFullError} too many requests are queued
   * @throws {MemoryBudgetError} there is no memory for the answer
   * @throws the same errors as {@link ClickHouse.read}
   */
  async answer(request: TraceUsageReq, context: ListContext): Promise<Uint8Array[]> {
    const { reservation } = context;
    const run = (signal: AbortSignal) => this.#answer(request, { ...context, signal });
    return await this.#options.queue.run(reservation.key, context.signal, run);
  }

  async #answer(request: TraceUsageReq, context: ListContext): Promise<Uint8Array[]> {
    const { reservation, signal } = context;
    const { limits } = this.#options;
    reservation.resize(0);
    const prices = this.#startPrices(request, signal);
    const selected = await this.#select(request, this.#toOptions(context));
    const { calls, usage } = await this.#describe(request, selected.calls, { ...context, prices });
    const tops = await this.#findTops(request, calls, this.#toOptions(context));
    await runInSlices(checkIds([...calls, ...tops]), signal);
    const rows =
      usage ?? (await this.#readRows(request, [...calls, ...tops], { ...context, prices }));
    const answer = { calls, tops, total: selected.total, maxSums: limits.maxAnswerSums };
    const rowBytes = reservation.bytes;
    const pieces = await runInSlices(
      toJsonPieces(toTreeFragments(rows, answer), (bytes) => {
        reservation.resize(reservation.bytes + bytes);
        if (reservation.bytes - rowBytes > limits.maxAnswerBytes) {
          throw new ResultTooLargeError('The answer is too large');
        }
      }),
      signal,
    );
    reservation.resize(reservation.bytes - rowBytes);
    return pieces;
  }

  /** The calls that match the filter, or those of one level, by start. */
  async #select(request: TraceUsageReq, options: Options): Promise<SelectedCalls> {
    const { clickhouse } = this.#options.sources;
    const { level, limit } = request;
    if (level !== null && level !== undefined) {
      const page = { max_calls: level.limit, offset: level.offset };
      return await this.#readLevel(request, level.parent_id ?? null, page, options);
    }
    const filter = await toListParameters(clickhouse, request, options);
    const place = { is_continued: false, after_us: 0, after_trace: '', after_key: '0', offset: 0 };
    const calls = await clickhouse.read<ListedCall>(
      'list_calls',
      { ...filter, ...place, by_end: false, direction: 1, max_calls: limit + 1 },
      options,
    );
    if (calls.length <= limit) return { calls, total: calls.length };
    const [counted] = await clickhouse.read<{ calls: string }>(
      'count_calls',
      { ...filter, max_calls: Number.MAX_SAFE_INTEGER },
      options,
    );
    throw new LimitExceededError(BigInt(counted?.calls ?? calls.length), limit);
  }

  async #readLevel(
    request: Pick<TraceUsageReq, 'project_id' | 'filter' | 'query'>,
    parentId: string | null,
    page: { readonly max_calls: number; readonly offset: number },
    options: Options,
  ): Promise<SelectedCalls> {
    const { clickhouse } = this.#options.sources;
    const filter =
      parentId === null ? request.filter : { ...request.filter, parent_ids: [parentId] };
    const parameters = await toListParameters(
      clickhouse,
      { ...request, filter: filter ?? null },
      options,
    );
    const read = (some: typeof page) =>
      clickhouse.read<ListedCall & { readonly total: string }>(
        'list_level',
        { ...parameters, ...some, is_top: parentId === null },
        options,
      );
    const calls = await read(page);
    // Behind the last call there is none that says how many there are.
    const isBehind = calls.length === 0 && page.offset > 0;
    const [first] = isBehind ? await read({ max_calls: 1, offset: 0 }) : calls;
    return { calls, total: Number(first?.total ?? 0) };
  }

  /** Reads what the answer says of calls, and their usage where that is what they stored. */
  async #describe(
    request: TraceUsageReq,
    calls: readonly ListedCall[],
    context: PricedContext,
  ): Promise<TreeCalls> {
    const { clickhouse } = this.#options.sources;
    const { project_id, include_costs } = request;
    const options = this.#toOptions(context);
    if (!areWholeTrees(request)) {
      return { calls: await readTreeCalls(clickhouse, project_id, calls, options), usage: null };
    }
    const ofRows = context.reservation.open();
    try {
      const prices = include_costs
        ? await context.prices.current(project_id, context.signal)
        : null;
      const reserveUsage = this.#toReserve(ofRows, memoryPerUsageByte);
      const reads = { ...options, reserveUsage };
      const read = await readWholeTrees(clickhouse, { project_id, calls, prices }, reads);
      if (read.usage !== null) {
        context.reservation.resize(context.reservation.bytes + ofRows.bytes);
      }
      return read;
    } finally {
      ofRows.release();
    }
  }

  /**
   * What counts in a trace with spans of OpenTelemetry depends on its top calls.
   * @throws {LimitExceededError} there are more of them than the limit
   */
  async #findTops(
    { project_id, limit }: TraceUsageReq,
    calls: readonly TreeCall[],
    options: Options,
  ): Promise<TreeCall[]> {
    if (!calls.some(({ hasSpans }) => hasSpans)) return [];
    const trace_ids = [...new Set(calls.map(({ details }) => details.trace_id))];
    const page = { max_calls: limit, offset: 0 };
    const tops: TreeCall[] = [];
    // A filter has 1,000 values at most.
    for (let start = 0; start < trace_ids.length; start += 1_000) {
      const filter = { trace_ids: trace_ids.slice(start, start + 1_000) };
      const found = await this.#readLevel({ project_id, filter }, null, page, options);
      if (found.total > limit) throw new LimitExceededError(BigInt(found.total), limit);
      const { clickhouse } = this.#options.sources;
      tops.push(...(await readTreeCalls(clickhouse, project_id, found.calls, options)));
    }
    const known = new Set(calls.map(({ details }) => details.key));
    return tops.filter(({ details }) => !known.has(details.key));
  }

  /** Reads prices while calls are selected. */
  #startPrices({ project_id, include_costs }: TraceUsageReq, signal: AbortSignal): Prices {
    if (!include_costs) return this.#options.sources.prices;
    const prices = this.#options.sources.prices.current(project_id, signal);
    // Where calls cannot be selected, nobody waits for prices.
    prices.catch(() => undefined);
    return { current: () => prices };
  }

  async #readRows(
    { project_id, include_costs }: TraceUsageReq,
    calls: readonly TreeCall[],
    { reservation, signal, prices }: PricedContext,
  ): Promise<readonly UsageRow[]> {
    if (calls.length === 0) return [];
    const located = calls.map(({ located }) => located);
    const call_ids = located.map(({ call_id }) => call_id);
    const query = { project_id, include_costs, is_explained: false, call_ids, located };
    const ofRows = reservation.open();
    try {
      const { maxRowBytes: maxBytes } = this.#options.limits;
      const context: QueryContext = { reservation: ofRows, signal, maxBytes };
      // Rollups do not say which usage of several top calls is that of one response.
      const haveShared = calls.length > 1 && calls.some(({ hasSpans }) => hasSpans);
      const isLive = haveShared || (await runInSlices(haveInnerCalls(calls), signal));
      const sources = { ...this.#options.sources, prices, ...(isLive && { rulesVersion: null }) };
      const { rows } = await readUsage(sources, query, context);
      reservation.resize(reservation.bytes + ofRows.bytes);
      return rows;
    } finally {
      ofRows.release();
    }
  }

  #toOptions({ reservation, signal }: ListContext): Options {
    return { signal, reserve: this.#toReserve(reservation, memoryPerByte) };
  }

  #toReserve(reservation: Reservation, memoryPerByte: number): Options['reserve'] {
    return (bytes) => {
      const total = reservation.bytes + bytes * memoryPerByte;
      if (total > this.#options.limits.maxRowBytes) {
        throw new ResultTooLargeError('The rows take too much memory');
      }
      reservation.resize(total);
    };
  }
}

/** Whether each trace has a call whose parent is requested, too: rollups have top calls only. */
function* haveInnerCalls(calls: readonly TreeCall[]): Steps<boolean> {
  const traceOf = new Map<string, string>();
  for (const { details } of calls) {
    traceOf.set(details.id, details.trace_id);
    yield;
  }
  const traceIds = new Set(traceOf.values());
  for (const { details } of calls) {
    const { id, parent_id, trace_id } = details;
    if (parent_id !== id && traceOf.get(parent_id) === trace_id) traceIds.delete(trace_id);
    yield;
  }
  return traceIds.size === 0;
}

/** An answer has each id once. */
function* checkIds(calls: readonly TreeCall[]): Steps<void> {
  const traceOf = new Map<string, string>();
  for (const { located } of calls) {
    yield;
    const { call_id, trace_id } = located;
    const other = traceOf.get(call_id);
    if (other !== undefined) throw new RepeatedIdError(call_id, [other, trace_id]);
    traceOf.set(call_id, trace_id);
  }
}

/** Calls of two traces have the same id, and an answer that has calls by id has room for one of them. */
export class RepeatedIdError extends Error {
  override readonly name = 'RepeatedIdError';
  readonly callId: string;
  readonly traceIds: readonly [string, string];

  constructor(callId: string, traceIds: RepeatedIdError['traceIds']) {
    super('Calls of two traces have the same id');
    this.callId = callId;
    this.traceIds = traceIds;
  }
}
