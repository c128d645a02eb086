import { addMoney, type Money, toDecimalText } from '../../money.ts';
import type { UsageExportQuery } from '../../openapi-types.ts';
import type { Steps } from '../../slices/run-in-slices.ts';
import { sortGroups } from '../stats/stats-json.ts';
import type { StatsPlan } from '../stats/stats-query.ts';
import type { GroupName, UsageSum, UsageSums } from '../stats/stats-sums.ts';
import { type TimeBucket, toTimeBuckets } from '../stats/time-buckets.ts';

/** A group beside the model. */
export type ExportGroup = Exclude<GroupName, 'model'>;

/** Usage of one project, bucket, model and group. */
export interface ExportRow {
  readonly projectId: string;
  /** The bucket, which may start before the window; `end` is exclusive. */
  readonly start: TimeBucket;
  readonly end: TimeBucket;
  /** The month in local time in which the bucket starts. */
  readonly monthStart: TimeBucket;
  readonly monthEnd: TimeBucket;
  readonly model: string;
  /** In the order of the request. */
  readonly groups: readonly string[];
  /** Calls that used the model. */
  readonly calls: bigint;
  readonly requests: bigint;
  readonly promptTokens: bigint;
  readonly completionTokens: bigint;
  readonly totalTokens: bigint;
  readonly cacheReadTokens: bigint;
  readonly cacheCreationTokens: bigint;
  /** USD, exact; null if nothing has a price. */
  readonly cost: Decimal | null;
  readonly unpricedRequests: bigint;
  readonly unpricedTokens: bigint;
  /** Whether usage is missing in the cost. */
  readonly isLowerBound: boolean;
  /** Of the prices, ascending. */
  readonly providers: readonly string[];
}

/** An exact number, which doubles would round. */
export interface Decimal {
  readonly money: Money;
  readonly text: string;
}

interface ExportRequest extends Pick<UsageExportQuery, 'timezone'> {
  readonly project_id: string;
  readonly names: readonly ExportGroup[];
}

/** The rows of a project by bucket, model and group; buckets without usage have none. */
export function* toExportRows(
  plan: StatsPlan,
  { groups }: UsageSums,
  { project_id: projectId, timezone }: ExportRequest,
): Generator<ExportRow | undefined, void> {
  const ordered = yield* withoutValues(sortGroups([...groups.keys()]));
  const ends = yield* withoutValues(readEnds(plan, timezone));
  const months = yield* withoutValues(readMonths(plan, timezone));
  for (const [index, start] of plan.buckets.entries()) {
    const bucket = BigInt(start.startS) * 1_000_000n;
    const month = months.findLastIndex(({ startS }) => startS <= start.startS);
    const times = {
      start,
      end: ends[index + 1] ?? start,
      monthStart: months[month] ?? start,
      monthEnd: months[month + 1] ?? start,
    };
    for (const values of ordered) {
      const sum = groups.get(JSON.stringify(values))?.get(bucket);
      const [model = '', ...others] = values;
      yield sum && { projectId, ...times, model, groups: others, ...toAmounts(sum) };
    }
  }
}

/** A generator whose steps are undefined. */
function* withoutValues<Result>(steps: Steps<Result>): Generator<undefined, Result> {
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    yield undefined;
  }
}

/** The buckets of the window and the one after it, in which the last one ends. */
function readEnds({ query, sizeS }: StatsPlan, timeZone: string): Steps<TimeBucket[]> {
  const { startUs, endUs } = query.window;
  // One bucket is longer than its size where it contains an hour that is repeated, and never twice as long.
  const window = { startUs, endUs: endUs + BigInt(2 * sizeS) * 1_000_000n };
  return toTimeBuckets(window, sizeS, timeZone);
}

/** The starts of months, from that of the first bucket to one after the last bucket. */
function* readMonths({ buckets }: StatsPlan, timeZone: string): Steps<TimeBucket[]> {
  const toUs = (bucket: TimeBucket | undefined, days: number): bigint =>
    BigInt((bucket?.startS ?? 0) + days * daySeconds) * 1_000_000n;
  const window = { startUs: toUs(buckets[0], -31), endUs: toUs(buckets.at(-1), 32) };
  const days = yield* toTimeBuckets(window, daySeconds, timeZone);
  return days.filter(({ timestamp }) => timestamp.slice(8, 10) === '01');
}

const daySeconds = 86_400;

function toAmounts(sum: UsageSum) {
  const { counters, unpriced } = sum;
  const at = (position: number): bigint => counters[position] ?? 0n;
  const cost = addMoney(sum.promptCost, sum.completionCost);
  return {
    calls: sum.entries,
    requests: at(0),
    promptTokens: at(1),
    completionTokens: at(2),
    totalTokens: at(3),
    cacheReadTokens: at(5),
    cacheCreationTokens: at(6) + at(7),
    cost: cost === null ? null : { money: cost, text: toDecimalText(cost) },
    unpricedRequests: unpriced.requests,
    unpricedTokens: unpriced.totalTokens,
    isLowerBound: unpriced.requests + unpriced.totalTokens > 0n,
    providers: [...sum.providerIds].sort(),
  };
}
