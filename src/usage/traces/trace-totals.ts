import { addMoney, type Money, toNumber } from '../../money.ts';
import type { Steps } from '../../slices/run-in-slices.ts';
import { sortInSteps } from '../../slices/sort-in-steps.ts';
import type { SettledTotals, SortedValues } from './list-settled.ts';
import { toDuration, type Trace } from './trace.ts';

/** Sums over all traces that match. */
export interface TraceTotals {
  readonly traces: bigint;
  readonly calls: bigint;
  readonly errors: bigint;
  readonly unfinishedCalls: bigint;
  readonly totalTokens: bigint;
  /** Null if nothing that was used has a price. */
  readonly cost: Money | null;
  readonly unpricedModels: ReadonlySet<string>;
  /** USD. */
  readonly costPercentiles: Percentiles;
  readonly durationPercentilesMs: Percentiles;
}

/** Null without values. */
type Percentiles = Readonly<Record<'p50' | 'p95' | 'p99', number | null>>;

/** Adds the traces that were read live to the sums over rollups. */
export function* sumTraces(settled: SettledTotals, live: readonly Trace[]): Steps<TraceTotals> {
  const unpricedModels = new Set(settled.unpriced_models);
  const sums = {
    traces: BigInt(settled.traces) + BigInt(live.length),
    calls: BigInt(settled.calls),
    errors: BigInt(settled.errors),
    unfinishedCalls: BigInt(settled.unfinished_calls),
    totalTokens: BigInt(settled.total_tokens),
  };
  let cost: Money | null = settled.is_any_priced ? BigInt(settled.cost) : null;
  let isAnyUsed = settled.is_any_used === 1;
  for (const { calls, errors, unfinishedCalls, usage } of live) {
    yield;
    sums.calls += calls;
    sums.errors += errors;
    sums.unfinishedCalls += unfinishedCalls;
    sums.totalTokens += usage.totalTokens;
    if (usage.models.length > 0) {
      isAnyUsed = true;
      cost = addMoney(cost, usage.cost);
    }
    for (const model of usage.unpricedModels) unpricedModels.add(model);
  }
  return {
    ...{ ...sums, unpricedModels, cost: isAnyUsed ? cost : 0n },
    ...(yield* toAllPercentiles(settled, live)),
  };
}

function* toAllPercentiles(
  { around_percentiles: [settledCosts, settledDurations] }: SettledTotals,
  live: readonly Trace[],
): Steps<Pick<TraceTotals, 'costPercentiles' | 'durationPercentilesMs'>> {
  const costs = live.map(({ usage }) => usage.cost).filter((cost) => cost !== null);
  const durations = live.map(toDuration).filter((duration) => duration !== null);
  return {
    costPercentiles: yield* toPercentiles(settledCosts, costs, (cost) => toNumber(cost / 100n)),
    durationPercentilesMs: yield* toPercentiles(
      settledDurations,
      durations,
      (us) => Number(us) / 100_000,
    ),
  };
}

const percents = [50, 95, 99] as const;

/**
 * Interpolates between the two nearest values, as statistics do.
 * @param toValue converts hundredths of the unit of values
 */
function* toPercentiles(
  [settledCount, slices]: SortedValues,
  live: readonly bigint[],
  toValue: (value: bigint) => number,
): Steps<Percentiles> {
  const sorted = yield* sortInSteps(live, compare);
  const count = Number(settledCount) + sorted.length;
  const values: (number | null)[] = [];
  for (const [index, percent] of percents.entries()) {
    // In integers, so that no position is rounded.
    const position = percent * (count - 1);
    const [skipped = '0', slice = []] = slices[index] ?? [];
    const near = { skipped: Number(skipped), slice: slice.map(BigInt), live: sorted };
    const below = yield* findValue(near, Math.floor(position / 100));
    const above = yield* findValue(near, Math.ceil(position / 100));
    if (below === undefined || above === undefined) values.push(null);
    else values.push(toValue(below * 100n + (above - below) * BigInt(position % 100)));
  }
  const [p50 = null, p95 = null, p99 = null] = values;
  return { p50, p95, p99 };
}

interface NearValues {
  /** How many values of rollups are smaller than those of the slice. */
  readonly skipped: number;
  readonly slice: readonly bigint[];
  readonly live: readonly bigint[];
}

/**
 * The value at a position of all values in order. It is one of the live values, or, of those of rollups, the one at this
 * position or at most as many before it as there are live values.
 */
function* findValue(
  { skipped, slice, live }: NearValues,
  position: number,
): Steps<bigint | undefined> {
  const first = Math.max(position - live.length, 0);
  const candidates = [...slice.slice(first - skipped, position - skipped + 1), ...live];
  const sorted = yield* sortInSteps(candidates, compare);
  return sorted[position - first];
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
