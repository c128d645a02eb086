import type { QueueUse } from '../../queues/batcher.ts';
import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { CallStatsReq, CostPreviewReq } from '../../openapi-types.ts';
import { noBoundaries } from '../../prices/snapshot/price-level.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
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
import { type StatsPlan, type StatsQuery, toStatsPlan } from './stats-query.ts';
import type {
  CallStatsQuery,
  StatsOfBoth,
  StatsSource,
  UsageStatsQuery,
} from './sources/stats-source.ts';
import { sumCalls, sumUsage, type UsageSums } from './stats-sums.ts';

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
      const specs = { usageSpecs, callSpecs };
      const sums = await this.#read(request, plan, specs, options);
      return toStatsFragments({ request, plan, ...specs, ...sums });
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
      const usageSpecs = mergeSpecs<UsageMetric>(request.usage_metrics);
      const specs = { usageSpecs, callSpecs: [] };
      const { usage } = await this.#read(request, plan, specs, options);
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

  async #read(
    request: CallStatsReq,
    { query }: StatsPlan,
    { usageSpecs, callSpecs }: Specs,
    options: Required<ReadOptions>,
  ): Promise<Pick<AnswerParts, 'usage' | 'calls' | 'liveTraces'>> {
    const { source, prices: snapshots } = this.#options;
    const prices = usageSpecs.some(({ metric }) => isCost(metric))
      ? await snapshots.current(request.project_id, options.signal)
      : null;
    const queries = {
      usage: toUsageQuery(query, usageSpecs, prices),
      calls: toCallQuery(query, callSpecs),
    };
    const { usage, calls } = await readRows(source, queries, options);
    const { group_by: groupBy } = request;
    const { signal } = options;
    return {
      usage:
        usage && (await runInSlices(sumUsage(usage.rows, groupBy ?? ['model'], prices), signal)),
      calls: calls && (await runInSlices(sumCalls(calls.rows, groupBy ?? []), signal)),
      liveTraces: usage?.liveTraces ?? calls?.liveTraces ?? 0,
    };
  }
}

type Specs = Pick<AnswerParts, 'usageSpecs' | 'callSpecs'>;

/** Null for no metrics. */
function toUsageQuery(
  query: StatsQuery,
  specs: Specs['usageSpecs'],
  prices: PriceSnapshot | null,
): UsageStatsQuery | null {
  if (specs.length === 0) return null;
  const withValues = specs.some((spec) => needsValues(spec));
  return { ...query, boundaries: prices?.boundaries ?? noBoundaries, withValues };
}

/** Null for no metrics. */
function toCallQuery(query: StatsQuery, specs: Specs['callSpecs']): CallStatsQuery | null {
  if (specs.length === 0) return null;
  const latency = specs.find(({ metric }) => metric === 'latency_ms');
  return { ...query, withLatencies: latency !== undefined && needsValues(latency) };
}

async function readRows(
  source: StatsSource,
  queries: { readonly usage: UsageStatsQuery | null; readonly calls: CallStatsQuery | null },
  options: ReadOptions,
): Promise<{ readonly [Kind in keyof StatsOfBoth]: StatsOfBoth[Kind] | null }> {
  const { usage, calls } = queries;
  if (usage !== null && calls !== null)
    return await source.readBoth({ ...usage, ...calls }, options);
  return {
    usage: usage && (await source.readUsage(usage, options)),
    calls: calls && (await source.readCalls(calls, options)),
  };
}

const noUsage: UsageSums = { groups: new Map(), unpriced: new Map() };
