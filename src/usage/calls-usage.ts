import { Batcher, type QueueUse } from '../queues/batcher.ts';
import { ResultTooLargeError } from '../clickhouse/errors.ts';
import { toJsonPieces } from '../slices/json-pieces.ts';
import type { CallsUsageReq } from '../openapi-types.ts';
import type { Reservation } from '../memory-budget.ts';
import { runInSlices, type Steps, toSet } from '../slices/run-in-slices.ts';
import {
  type QueriedUsage,
  type QueryContext,
  queryUsage,
  type UsageQuery,
  type UsageSources,
} from './query/query-usage.ts';
import { LimitExceededError } from './limits/limit-exceeded-error.ts';
import { repairOrphanEnds } from './query/read-repair.ts';
import type { UsageRow } from './query/usage-row.ts';
import { toExplanationFragments } from './explanation-json.ts';
import { byModel, type ModelUsage } from './model-usage.ts';
import { byPrice, type PricedUsage } from './priced-usage.ts';
import { rollUp, type RolledUp } from './roll-up.ts';
import { arePriced, type Fragments, toUsageFragments } from './usage-json.ts';

/** How usage requests of one project are batched, and how many may be queued. */
export interface UsageLimits {
  /** Batches that ClickHouse answers at a time. */
  readonly concurrency: number;
  readonly maxQueued: number;
  readonly maxWaitMs: number;
  /** Call ids of one batch, unless a single request has more. */
  readonly maxBatchIds: number;
  /** Sums of a batch, one for each requested call and model; of an explanation, for each price too. */
  readonly maxAnswerSums: number;
  readonly maxAnswerBytes: number;
  /** Memory of the rows of one query, as the memory budget counts it. */
  readonly maxRowBytes: number;
}

export interface CallsUsageOptions extends UsageSources {
  readonly usageLimits: UsageLimits;
  /** Counts an answer with costs, by whether each of its models has a price. */
  readonly countPriced: (isPriced: boolean) => void;
}

/** A request to POST /calls/usage, or to POST /usage/explain. */
export interface UsageRequest extends CallsUsageReq {
  readonly is_explained: boolean;
}

/** What an answer is written with. */
export interface AnswerContext {
  /** Grows with what is read for the answer, and has the bytes of the answer in the end. */
  readonly reservation: Reservation;
  /** Called with the number of distinct ids of which there is no start in the project. */
  readonly reportUnknown: (callIds: number) => void;
  /** Removes the request from the queue; its query ends when all requests of its batch are aborted. */
  readonly signal: AbortSignal;
}

/** A usage request that is queued. */
interface QueuedRequest {
  readonly query: UsageQuery;
  readonly reservation: Reservation;
}

/** The usage of a batch. */
interface BatchUsage {
  readonly rolledUp: SumsByModel | SumsByPrice;
  readonly knownCallIds: ReadonlySet<string>;
  /** The share of each of its requests in its memory. */
  readonly bytesPerRequest: number;
}

interface SumsByModel extends RolledUp<ModelUsage> {
  readonly isExplained: false;
}

interface SumsByPrice extends RolledUp<PricedUsage> {
  readonly isExplained: true;
}

/**
 * Answers POST /calls/usage and POST /usage/explain. The steps, in order: locate the calls, choose the statement and query (all three in
 * {@link queryUsage}), repair orphan ends, roll up, check the limit, write the answer.
 *
 * A request that finds a batch free is queried at once. While all are in flight, requests of one project are queued
 * and then queried together: a statement for a hundred calls takes ClickHouse little longer than one for ten. Keys take
 * turns, so that one of them delays only itself.
 */
export class CallsUsage {
  readonly #options: CallsUsageOptions;
  readonly #batcher: Batcher<QueuedRequest, BatchUsage>;

  constructor(options: CallsUsageOptions) {
    const { usageLimits: limits } = options;
    this.#options = options;
    this.#batcher = new Batcher({
      queue: 'usage requests',
      concurrency: limits.concurrency,
      ...{ maxQueued: limits.maxQueued, maxWaitMs: limits.maxWaitMs },
      flushIntervalMs: 0,
      maxBatchSize: [limits.maxBatchIds],
      sizeOf: ({ query }) => [query.call_ids.length],
      canShare: ({ query: a }, { query: b }) =>
        a.project_id === b.project_id &&
        a.include_costs === b.include_costs &&
        a.is_explained === b.is_explained,
      ownerOf: ({ reservation }) => reservation.key,
      isOrdered: false,
      run: (requests, signal) => this.#queryBatch(requests, signal),
      // A trace that takes too long fails alone.
      splitInto: 'items',
    });
  }

  /**
   * @returns the JSON text of a `CallsUsageRes` in pieces, or of a `UsageExplainRes`; text because token sums may exceed
   *   what a number holds
   * @throws {LimitExceededError} the request touches more calls than its limit
   * @throws {QueueFullError} too many requests are queued
   * @throws {QueueWaitError} the request was queued for too long
   * @throws {MemoryBudgetError} there is no memory for the answer
   * @throws the same errors as {@link ClickHouse.read}
   */
  async answer(request: UsageRequest, context: AnswerContext): Promise<Uint8Array[]> {
    const { project_id, include_costs, is_explained, limit } = request;
    const { signal, reservation } = context;
    const callIds = [...(await runInSlices(toSet(request.call_ids), signal))];
    const limits = [{ callIds, limit }];
    const query = { project_id, include_costs, is_explained, call_ids: callIds, limits };
    const usage =
      callIds.length === 0 ? noCalls : await this.#batcher.add({ query, reservation }, signal);
    reservation.resize(usage.bytesPerRequest);
    const pieces = await runInSlices(this.#write(request, callIds, usage, context), signal);
    reservation.resize(reservation.bytes - usage.bytesPerRequest);
    return pieces;
  }

  queueUse(): QueueUse {
    return this.#batcher.use();
  }

  *#write(
    { include_costs, limit }: UsageRequest,
    callIds: readonly string[],
    { rolledUp, knownCallIds }: BatchUsage,
    { reservation, reportUnknown }: AnswerContext,
  ): Steps<Uint8Array[]> {
    const { calls, unfinishedCallIds } = yield* rolledUp.touchedBy(callIds);
    if (calls > BigInt(limit)) throw new LimitExceededError(calls, limit);
    reportUnknown(yield* countUnknown(callIds, knownCallIds));
    let fragments: Fragments;
    if (rolledUp.isExplained) {
      const answer = { callIds, usages: rolledUp.usages, unfinishedCallIds };
      fragments = toExplanationFragments(answer, include_costs);
    } else {
      const answer = { callIds, usages: rolledUp.usages, unfinishedCallIds };
      if (include_costs) this.#options.countPriced(yield* arePriced(answer));
      fragments = toUsageFragments(answer);
    }
    const { maxAnswerBytes } = this.#options.usageLimits;
    let answerBytes = 0;
    return yield* toJsonPieces(fragments, (bytes) => {
      answerBytes += bytes;
      if (answerBytes > maxAnswerBytes) throw new ResultTooLargeError('The answer is too large');
      reservation.resize(reservation.bytes + bytes);
    });
  }

  /** The memory of a batch counts for the key of its first request; if it has too little, each request is read alone. */
  async #queryBatch(requests: readonly QueuedRequest[], signal: AbortSignal): Promise<BatchUsage> {
    const { usageLimits } = this.#options;
    const [{ reservation: first }] = requests as [QueuedRequest];
    const query = toSharedQuery(requests.map((request) => request.query));
    const reservation = first.open();
    try {
      const context = { reservation, signal, maxBytes: usageLimits.maxRowBytes };
      const { rows, knownCallIds } = await readUsage(this.#options, query, context);
      const sums = rollUpRows(rows, query.is_explained, usageLimits.maxAnswerSums);
      const rolledUp = await runInSlices(sums, signal);
      const known = await runInSlices(toSet(knownCallIds), signal);
      const bytesPerRequest = Math.ceil(reservation.bytes / requests.length);
      return { rolledUp, knownCallIds: known, bytesPerRequest };
    } finally {
      // The requests reserve their shares at once: nothing runs in between but them.
      reservation.release();
    }
  }
}

function* rollUpRows(
  rows: readonly UsageRow[],
  isExplained: boolean,
  maxSums: number,
): Steps<BatchUsage['rolledUp']> {
  return isExplained
    ? { isExplained, ...(yield* rollUp(rows, byPrice, maxSums)) }
    : { isExplained, ...(yield* rollUp(rows, byModel, maxSums)) };
}

function* countUnknown(
  callIds: readonly string[],
  knownCallIds: ReadonlySet<string>,
): Steps<number> {
  let unknown = 0;
  for (const id of callIds) {
    if (!knownCallIds.has(id)) unknown += 1;
    yield;
  }
  return unknown;
}

const noCalls: BatchUsage = {
  knownCallIds: new Set(),
  bytesPerRequest: 0,
  rolledUp: {
    isExplained: false,
    usages: new Map(),
    *touchedBy() {
      return { calls: 0n, unfinishedCallIds: [] };
    },
  },
};

/** Reads the usage of a query, twice if calls without an end turn out to have an orphan one, which is then stored. */
export async function readUsage(
  sources: UsageSources,
  query: UsageQuery,
  context: QueryContext,
): Promise<QueriedUsage> {
  const usage = await queryUsage(sources, query, context);
  const { project_id } = query;
  const { unfinishedCallIds } = usage;
  const { signal } = context;
  return (await repairOrphanEnds(sources.clickhouse, project_id, unfinishedCallIds, signal))
    ? await queryUsage(sources, query, context)
    : usage;
}

function toSharedQuery(queries: readonly UsageQuery[]): UsageQuery {
  const [first] = queries as [UsageQuery];
  if (queries.length === 1) return first;
  return {
    ...first,
    call_ids: [...new Set(queries.flatMap(({ call_ids }) => call_ids))],
    limits: queries.flatMap(({ limits = [] }) => limits),
  };
}
