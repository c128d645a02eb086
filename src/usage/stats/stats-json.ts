import type { CallStatsReq } from '../../openapi-types.ts';
import type { Steps } from '../../slices/run-in-slices.ts';
import { sortInSteps } from '../../slices/sort-in-steps.ts';
import { compareCodePoints, sortByCodePoint } from '../sort-by-code-point.ts';
import { type Fragments, toTokensJson } from '../usage-json.ts';
import { type MetricSpec, toMembers } from './aggregations.ts';
import { type CallMetric, toCallValues, toUsageValues, type UsageMetric } from './metric-values.ts';
import type { StatsPlan } from './stats-query.ts';
import type { CallSum, GroupedSums, UsageSums } from './stats-sums.ts';
import { maxBuckets, TooManyBucketsError } from './time-buckets.ts';

/** What the text of an answer is built from. */
export interface AnswerParts {
  readonly request: CallStatsReq;
  readonly plan: StatsPlan;
  readonly usageSpecs: readonly MetricSpec<UsageMetric>[];
  readonly callSpecs: readonly MetricSpec<CallMetric>[];
  /** Null without metrics. */
  readonly usage: UsageSums | null;
  readonly calls: GroupedSums<CallSum> | null;
  readonly liveTraces: number;
}

/**
 * The text of a `CallStatsRes`.
 * @throws {TooManyBucketsError} buckets times groups are more than {@link maxBuckets}, before anything is yielded
 */
export function* toStatsFragments(parts: AnswerParts): Fragments {
  const { request, plan, usage, calls } = parts;
  const { start, timezone } = request;
  const names = request.group_by ?? ['model'];
  const callNames = (request.group_by ?? []).filter((name) => name !== 'model');
  for (const { groups } of [usage ?? noGroups, calls ?? noGroups]) {
    const buckets = plan.buckets.length;
    if (buckets * groups.size > maxBuckets) throw new TooManyBucketsError(buckets, groups.size);
  }
  const granularity = usage === null && calls === null ? 0 : plan.sizeS;
  yield (
    `{"start":${JSON.stringify(start)},"end":${JSON.stringify(plan.end)}` +
    `,"granularity":${granularity},"timezone":${JSON.stringify(timezone)},"usage_buckets":[`
  );
  if (usage !== null) {
    yield* toBucketFragments(plan, names, withTotal(usage, names), (sum) => ({
      members: parts.usageSpecs.flatMap((spec) => toMembers(spec, toUsageValues(spec.metric, sum))),
      count: sum?.entries ?? 0n,
    }));
  }
  yield '],"call_buckets":[';
  if (calls !== null) {
    yield* toBucketFragments(plan, callNames, withTotal(calls, callNames), (sum) => ({
      members: parts.callSpecs.flatMap((spec) => toMembers(spec, toCallValues(spec.metric, sum))),
      count: sum?.calls ?? 0n,
    }));
  }
  yield '],"unpriced":[';
  if (usage !== null) yield* toUnpricedFragments(usage);
  yield `],"live_traces":${parts.liveTraces}}`;
}

const noGroups: GroupedSums<never> = { groups: new Map() };

/** What is not grouped has buckets also where there is nothing. */
function withTotal<Sum>({ groups }: GroupedSums<Sum>, names: readonly string[]): GroupedSums<Sum> {
  if (names.length > 0 || groups.size > 0) return { groups };
  return { groups: new Map([['[]', new Map<bigint, Sum>()]]) };
}

interface BucketContent {
  readonly members: readonly string[];
  readonly count: bigint;
}

/** Each bucket with each group, ordered by both. */
function* toBucketFragments<Sum>(
  { buckets }: StatsPlan,
  names: readonly string[],
  { groups }: GroupedSums<Sum>,
  toContent: (sum: Sum | undefined) => BucketContent,
): Fragments {
  const ordered = yield* sortGroups([...groups.keys()]);
  let separator = '';
  for (const { startS, timestamp } of buckets) {
    const bucket = BigInt(startS) * 1_000_000n;
    for (const values of ordered) {
      const { members, count } = toContent(groups.get(JSON.stringify(values))?.get(bucket));
      const fields = [
        `"timestamp":"${timestamp}"`,
        ...names.map((name, index) => `"${name}":${JSON.stringify(values[index])}`),
        ...members,
        `"count":${count}`,
      ];
      yield `${separator}{${fields.join(',')}}`;
      separator = ',';
    }
  }
}

/** By their first values, then by their second ones. */
export function sortGroups(groups: readonly string[]): Steps<string[][]> {
  return sortInSteps(
    groups.map((group) => JSON.parse(group) as string[]),
    (a, b) => {
      const differs = a.findIndex((value, index) => value !== b[index]);
      return compareCodePoints(a[differs] ?? '', b[differs] ?? '');
    },
  );
}

function* toUnpricedFragments({ unpriced }: UsageSums): Fragments {
  let separator = '';
  for (const model of yield* sortByCodePoint([...unpriced.keys()])) {
    const usage = unpriced.get(model);
    if (usage === undefined) continue;
    yield `${separator}{"model":${JSON.stringify(model)},${toTokensJson(usage)}}`;
    separator = ',';
  }
}
