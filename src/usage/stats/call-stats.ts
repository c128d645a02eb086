import { Batcher, type QueueUse } from '../../batcher.ts';
import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../../clickhouse/errors.ts';
import type { Reservation } from '../../memory-budget.ts';
import type { CallStatsReq, CostPreviewReq } from '../../openapi-types.ts';
import { noBoundaries } from '../../prices/snapshot/price-level.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import { toJsonPieces } from '../../slices/json-pieces.ts';
import { runInSlices } from '../../slices/run-in-slices.ts';
import type { Fragments } from '../usage-json.ts';
import { mergeSpecs, needsValues } from './aggregations.ts';
import { previewCosts } from './cost-preview.ts';
import { type CallMetric, isCost, type UsageMetric } from './metric-values.ts';
import { type AnswerParts, toStatsFragments } from './stats-json.ts';
import { type StatsPlan, toStatsPlan } from './stats-query.ts';
import type { StatsSource } from './stats-source.ts';
import {
  type CallSum,
  type GroupedSums,
  sumCalls,
  sumUsage,
  type UsageSums,
} from './stats-sums.ts';

/** How many requests for statistics run at a time, and how large their answers may be. */
interface StatsLimits {
  readonly concurrency: number;
  readonly maxQueued: number;
  readonly maxAnswerBytes: number;
  /** Memory of the rows of one request, as the memory budget counts it. */
  readonly maxRowBytes: number;
}

export interface CallStatsOptions {
  readonly source: StatsSource;
  readonly prices: Pick<PriceSnapshots, 'current' | 'propose'>;
  readonly limits: StatsLimits;
}

/** What an answer is written with. */
export interface StatsContext {
  /** Grows with what is read for the answer, and has the bytes of the answer in the end. */
  readonly reservation: Reservation;
  readonly signal: AbortSignal;
}

interface QueuedRequest {
  readonly owner: string;
  readonly run: (signal: AbortSignal) => Promise<Uint8Array[]>;
}

/** What rows and sums take for each byte of their text, garbage apart; as in query-usage.ts. */
const memoryPerByte = 2;

/**
 * Answers POST /calls/stats and POST /cost/preview. The steps: plan buckets and groups, read rows that ClickHouse has summed
 * by price class ({@link StatsSource}), choose the price of each sum, add sums by bucket and group, write the answer.
 */
export class CallStats {
  readonly #options: CallStatsOptions;
  readonly #queue: Batcher<QueuedRequest, Uint8Array[]>;

  constructor(options: CallStatsOptions) {
    this.#options = options;
    this.#queue = new Batcher({
      queue: 'stats requests',
      concurrency: options.limits.concurrency,
      maxQueued: options.limits.maxQueued,
      flushIntervalMs: 0,
      maxBatchSize: [1],
      sizeOf: () => [1],
      ownerOf: ({ owner }) => owner,
      isOrdered: false,
      run: ([request], signal) => (request as QueuedRequest).run(signal),
      splitInto: 'items',
    });
  }

  /**
   * @returns the JSON text of a `CallStatsRes` in pieces
   * @throws {TooManyBucketsError} buckets times groups are too many
   * @throws {WindowTooLargeError} more calls would have to be read than one request may read
   * @throws {QueueFullError} too many requests are queued
   * @throws {MemoryBudgetError} there is no memory for the answer
   * @throws the same errors as {@link ClickHouse.read}
   */
  async answer(request: CallStatsReq, context: StatsContext): Promise<Uint8Array[]> {
    return await this.#enqueue(context, async (signal) => {
      const now = new Date().toISOString();
      const plan = await runInSlices(toStatsPlan(request, now), signal);
      const options = this.#toReadOptions(context, signal);
      const usageSpecs = mergeSpecs<UsageMetric>(request.usage_metrics);
      const callSpecs = mergeSpecs<CallMetric>(request.call_metrics);
      const usage = await this.#readUsage(request, plan, usageSpecs, options);
      const calls = await this.#readCalls(request, plan, callSpecs, options);
      const liveTraces = usage?.liveTraces ?? calls?.liveTraces ?? 0;
      return toStatsFragments({ request, plan, usageSpecs, callSpecs, usage, calls, liveTraces });
    });
  }

  /**
   * Usage with its costs, as text that `toFragments` writes.
   * @throws as {@link CallStats.answer}
   */
  async writeUsage(
    request: CallStatsReq,
    context: StatsContext,
    toFragments: (plan: StatsPlan, usage: UsageSums) => Fragments,
  ): Promise<Uint8Array[]> {
    return await this.#enqueue(context, async (signal) => {
      const plan = await runInSlices(toStatsPlan(request, new Date().toISOString()), signal);
      const options = this.#toReadOptions(context, signal);
      const specs = mergeSpecs<UsageMetric>(request.usage_metrics);
      const usage = await this.#readUsage(request, plan, specs, options);
      return toFragments(plan, usage ?? noUsage);
    });
  }

  /** As {@link CallStats.answer}; the text is that of a `CostPreviewRes`. */
  async previewCosts(request: CostPreviewReq, context: StatsContext): Promise<Uint8Array[]> {
    const { source, prices } = this.#options;
    return await this.#enqueue(context, (signal) =>
      previewCosts(request, source, prices, this.#toReadOptions(context, signal)),
    );
  }

  queueUse(): QueueUse {
    return this.#queue.use();
  }

  /** Waits for its turn, reads, and writes what the fragments say. */
  async #enqueue(
    { reservation, signal }: StatsContext,
    toFragments: (signal: AbortSignal) => Promise<Fragments>,
  ): Promise<Uint8Array[]> {
    const run = async (signal: AbortSignal): Promise<Uint8Array[]> => {
      reservation.resize(0);
      const fragments = await toFragments(signal);
      const rowBytes = reservation.bytes;
      const pieces = await runInSlices(
        toJsonPieces(fragments, (bytes) => {
          reservation.resize(reservation.bytes + bytes);
          if (reservation.bytes - rowBytes > this.#options.limits.maxAnswerBytes) {
            throw new ResultTooLargeError('The answer is too large');
          }
        }),
        signal,
      );
      reservation.resize(reservation.bytes - rowBytes);
      return pieces;
    };
    return await this.#queue.add({ owner: reservation.key, run }, signal);
  }

  #toReadOptions({ reservation }: StatsContext, signal: AbortSignal): LiveReadOptions {
    const reserve = (bytes: number): void => {
      const total = reservation.bytes + bytes * memoryPerByte;
      if (total > this.#options.limits.maxRowBytes) {
        throw new ResultTooLargeError('The rows take too much memory');
      }
      reservation.resize(total);
    };
    return { signal, reserve };
  }

  async #readUsage(
    request: CallStatsReq,
    { query }: StatsPlan,
    specs: AnswerParts['usageSpecs'],
    options: LiveReadOptions,
  ): Promise<(UsageSums & { readonly liveTraces: number }) | null> {
    if (specs.length === 0) return null;
    const { source, prices } = this.#options;
    const snapshot = specs.some(({ metric }) => isCost(metric))
      ? await prices.current(request.project_id, options.signal)
      : null;
    const boundaries = snapshot?.boundaries ?? noBoundaries;
    const withValues = specs.some((spec) => needsValues(spec));
    const { rows, liveTraces } = await source.readUsage(
      { ...query, boundaries, withValues },
      options,
    );
    const groupBy = request.group_by ?? ['model'];
    const sums = await runInSlices(sumUsage(rows, groupBy, snapshot), options.signal);
    return { ...sums, liveTraces };
  }

  async #readCalls(
    request: CallStatsReq,
    { query }: StatsPlan,
    specs: AnswerParts['callSpecs'],
    options: LiveReadOptions,
  ): Promise<(GroupedSums<CallSum> & { readonly liveTraces: number }) | null> {
    if (specs.length === 0) return null;
    const latency = specs.find(({ metric }) => metric === 'latency_ms');
    const withLatencies = latency !== undefined && needsValues(latency);
    const { source } = this.#options;
    const { rows, liveTraces } = await source.readCalls({ ...query, withLatencies }, options);
    const sums = await runInSlices(sumCalls(rows, request.group_by ?? []), options.signal);
    return { ...sums, liveTraces };
  }
}

const noUsage: UsageSums = { groups: new Map(), unpriced: new Map() };

type LiveReadOptions = Required<ReadOptions>;
