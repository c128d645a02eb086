import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import { addMoney, type Money, toDecimalText } from '../../money.ts';
import type { CostPreviewReq } from '../../openapi-types.ts';
import { proposeCosts } from '../../prices/propose-costs.ts';
import { mergeBoundaries } from '../../prices/snapshot/price-level.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import { sortByCodePoint } from '../sort-by-code-point.ts';
import type { Fragments } from '../usage-json.ts';
import { toWindow } from './stats-query.ts';
import type { StatsSource, UsageStatsRow } from './sources/stats-source.ts';
import { sumUsage, type UsageSum } from './stats-sums.ts';

/**
 * What the calls of a window cost by model, and would cost with other prices. Rows are read once, in classes whose calls
 * have one price by either, and each row is priced twice.
 * @returns the text of a `CostPreviewRes`
 * @throws {WindowTooLargeError} more calls would have to be read than one request may read
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function previewCosts(
  request: CostPreviewReq,
  source: StatsSource,
  prices: Pick<PriceSnapshots, 'propose'>,
  options: Required<ReadOptions>,
): Promise<Fragments> {
  const { project_id: projectId, costs } = request;
  const { signal } = options;
  const byModel = new Map(Object.entries(costs));
  const { current, proposed } = await proposeCosts(prices, projectId, byModel, signal);
  const { window, end } = toWindow(request, new Date().toISOString());
  const query = {
    ...{ projectId, window, filter: {}, groupColumns: [], withValues: false },
    bucketStarts: [window.startUs],
    boundaries: mergeBoundaries(current.boundaries, proposed.boundaries),
  };
  const { rows, liveTraces } = await source.readUsage(query, options);
  const was = await runInSlices(sumByModel(rows, current), signal);
  const wouldBe = await runInSlices(sumByModel(rows, proposed), signal);
  const [start] = [request.start];
  return toFragments({ start, end, liveTraces, was, wouldBe });
}

function* sumByModel(
  rows: readonly UsageStatsRow[],
  prices: Parameters<typeof sumUsage>[2],
): Steps<ReadonlyMap<string, UsageSum>> {
  const { groups } = yield* sumUsage(rows, ['model'], prices);
  const sums = new Map<string, UsageSum>();
  for (const [group, buckets] of groups) {
    const [model] = JSON.parse(group) as [string];
    for (const sum of buckets.values()) sums.set(model, sum);
    yield;
  }
  return sums;
}

interface PreviewParts {
  readonly start: string;
  readonly end: string;
  readonly liveTraces: number;
  readonly was: ReadonlyMap<string, UsageSum>;
  readonly wouldBe: ReadonlyMap<string, UsageSum>;
}

function* toFragments({ start, end, liveTraces, was, wouldBe }: PreviewParts): Fragments {
  yield `{"start":${JSON.stringify(start)},"end":${JSON.stringify(end)},"results":[`;
  let separator = '';
  // What nobody used costs 0, as in statistics; null is what has no price.
  const none = was.size === 0 ? 0n : null;
  let total: { was: Money | null; wouldBe: Money | null } = { was: none, wouldBe: none };
  for (const model of yield* sortByCodePoint([...was.keys()])) {
    const sum = was.get(model);
    const [requests = 0n, , , totalTokens = 0n] = sum?.counters ?? [];
    const costs = { was: toCost(sum), wouldBe: toCost(wouldBe.get(model)) };
    total = {
      was: addMoney(total.was, costs.was),
      wouldBe: addMoney(total.wouldBe, costs.wouldBe),
    };
    yield (
      `${separator}{"llm_id":${JSON.stringify(model)},"requests":${requests}` +
      `,"total_tokens":${totalTokens},${toAmounts(costs)}}`
    );
    separator = ',';
  }
  yield `],"total":{${toAmounts(total)}},"live_traces":${liveTraces}}`;
}

/** Null if it is not known of any call. */
function toCost(sum: UsageSum | undefined): Money | null {
  return sum === undefined ? null : addMoney(sum.promptCost, sum.completionCost);
}

/** Members of an object. */
function toAmounts({ was, wouldBe }: { was: Money | null; wouldBe: Money | null }): string {
  const [before, after] = [was, wouldBe].map((money) =>
    money === null ? 'null' : `"${toDecimalText(money)}"`,
  );
  return `"was":${before},"would_be":${after}`;
}
