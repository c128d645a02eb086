import type { QueueUse } from '../../queues/batcher.ts';
import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { CallStatsReq, CostPreviewReq } from '../../openapi-types.ts';
import { noBoundaries } from '../../prices/snapshot/price-level.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import { runInSlices } from '../../slices/run-in-slices.ts';
import type { TurnQueue } from '../../queues/turn-queue.ts';
import {
  type AnswerContext,
  type AnswerFragments,
  type AnswerLimits,
  AnswerQueue,
} from '../answer-queue.ts';
import { mergeSpecs, needsValues } from './aggregations.ts';
import { previewCosts } from './cost-preview.ts';
import { type CallMetric, isCost, type UsageMetric } from './metric-values.ts';
import { type AnswerParts, toStatsFragments } from './stats-json.ts';
import { type StatsPlan, toStatsPlan } from './stats-query.ts';
import type { StatsSource } from './sources/stats-source.ts';
import {
  type CallSum,
  type GroupedSums,
  sumCalls,
  sumUsage,
  type UsageSums,
} from './stats-sums.ts';

export interface CallStatsOptions {
  readonly source: StatsSource;
  readonly prices: Pick<PriceSnapshots, 'current' | 'propose'>;
  readonly queue: TurnQueue;
  readonly limits: AnswerLimits;
}

/**
 * Answers POST /calls/stats and POST /cost/preview. The steps: plan buckets and groups, read rows that ClickHouse has summed
 * by price class ({@link StatsSource}), choose the price of each sum, add sums by bucket and group, write the answer.
 */
export class CallStats {
  readonly #options: CallStatsOptions;
  readonly #queue: AnswerQueue;

  constructor(options: CallStatsOptions) {
    this.#options = options;
    this.#queue = new AnswerQueue(options.queue, options.limits);
  }

  /**
   * @returns the JSON text of a `CallStatsRes` in pieces
   * @throws {TooManyBucketsError} buckets times groups are too many
   * @throws {WindowTooLargeError} more calls would have to be read than one request may read
   * @throws {QueueFullError} too many requests are queued
   * @throws {MemoryBudgetError} there is no memory for the answer
   * @throws the same errors as {@link ClickHouse.read}
   */
  async answer(request: CallStatsReq, context: AnswerContext): Promise<Uint8Array[]> {
    return await this.#queue.add(context, async (options) => {
      const now = new Date().toISOString();
      const plan = await runInSlices(toStatsPlan(request, now), options.signal);
      const usageSpecs = mergeSpecs<UsageMetric>(request.usage_metrics);
      const callSpecs = mergeSpecs<CallMetric>(request.call_metrics);
      const usage = await this.#readUsage(request, plan, usageSpecs, options);
      const calls = await this.#readCalls(request, plan, callSpecs, options);
      const liveTraces = usage?.liveTraces ?? calls?.liveTraces ?? 0;
      return toStatsFragments({ request, plan, usageSpecs, callSpecs, usage, calls, liveTraces });
    });
  }

  /**
   * Usage with its costs, as `toFragments` writes it.
   * @throws as {@link CallStats.answer}
   */
  async writeUsage(
    request: CallStatsReq,
    context: AnswerContext,
    toFragments: (plan: StatsPlan, usage: UsageSums) => AnswerFragments,
  ): Promise<Uint8Array[]> {
    return await this.#queue.add(context, async (options) => {
      const now = new Date().toISOString();
      const plan = await runInSlices(toStatsPlan(request, now), options.signal);
      const specs = mergeSpecs<UsageMetric>(request.usage_metrics);
      const usage = await this.#readUsage(request, plan, specs, options);
      return toFragments(plan, usage ?? noUsage);
    });
  }

  /** As {@link CallStats.answer}; the text is that of a `CostPreviewRes`. */
  async previewCosts(request: CostPreviewReq, context: AnswerContext): Promise<Uint8Array[]> {
    const { source, prices } = this.#options;
    return await this.#queue.add(context, (options) =>
      previewCosts(request, source, prices, options),
    );
  }

  queueUse(): QueueUse {
    return this.#options.queue.queueUse();
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
