import { addMoney, toNumber, type Money } from '../../money.ts';
import type { CallMetricSpec, UsageMetricSpec } from '../../openapi-types.ts';
import { divide, type MetricValues } from './aggregations.ts';
import type { CallSum, UsageSum } from './stats-sums.ts';

export type UsageMetric = UsageMetricSpec['metric'];
export type CallMetric = CallMetricSpec['metric'];

/** @param sum undefined for a bucket without usage */
export function toUsageValues(metric: UsageMetric, sum: UsageSum | undefined): MetricValues {
  if (isCost(metric)) return toCostValues(toCost(metric, sum), sum);
  const { positions, value } = tokenMetrics[metric];
  const total = positions.reduce((tokens, at) => tokens + (sum?.counters[at] ?? 0n), 0n);
  const values = sum?.values[value] ?? [];
  const count = sum?.entries ?? 0n;
  return {
    sum: String(total),
    average: count === 0n ? 0 : divide(total, count),
    count,
    countOf: (wanted) => BigInt(values.filter((each) => each === wanted).length),
    at: (index) => values[index] ?? 0,
  };
}

type CostMetric = 'input_cost' | 'output_cost' | 'total_cost';

export function isCost(metric: string): metric is CostMetric {
  return metric.endsWith('_cost');
}

/** Where a metric is in `UsageCounters`, from 0, and in `values` of stats_row.sql. */
const tokenMetrics: Readonly<
  Record<Exclude<UsageMetric, CostMetric>, { positions: readonly number[]; value: number }>
> = {
  requests: { positions: [0], value: 0 },
  input_tokens: { positions: [1], value: 1 },
  output_tokens: { positions: [2], value: 2 },
  total_tokens: { positions: [3], value: 3 },
  cache_read_input_tokens: { positions: [5], value: 4 },
  cache_creation_input_tokens: { positions: [6, 7], value: 5 },
};

function toCost(metric: CostMetric, sum: UsageSum | undefined): Money | null {
  if (sum === undefined) return 0n;
  if (metric === 'input_cost') return sum.promptCost;
  if (metric === 'output_cost') return sum.completionCost;
  return addMoney(sum.promptCost, sum.completionCost);
}

/** Requests for other aggregations of costs are refused. */
function toCostValues(cost: Money | null, sum: UsageSum | undefined): MetricValues {
  const count = sum?.pricedEntries ?? 0n;
  return {
    sum: cost === null ? 'null' : JSON.stringify(toNumber(cost)),
    average: cost === null ? null : toNumber(count === 0n ? 0n : cost / count),
    count,
    countOf: () => 0n,
    at: () => 0,
  };
}

/** @param sum undefined for a bucket without calls */
export function toCallValues(metric: CallMetric, sum: CallSum | undefined): MetricValues {
  const calls = sum?.calls ?? 0n;
  switch (metric) {
    case 'latency_ms':
      return toLatencyValues(sum);
    case 'call_count':
      return toFlagValues(calls, calls);
    case 'error_count':
      return toFlagValues(calls, sum?.errors ?? 0n);
  }
}

function toLatencyValues(sum: CallSum | undefined): MetricValues {
  const { finishedCalls: count = 0n, latencyUs = 0n, latenciesUs = [] } = sum ?? {};
  return {
    sum: JSON.stringify(divide(latencyUs, usPerMs)),
    average: count === 0n ? 0 : divide(latencyUs, usPerMs * count),
    count,
    countOf: (wanted) => {
      const wantedUs = wanted * Number(usPerMs);
      return BigInt(latenciesUs.filter((each) => each === wantedUs).length);
    },
    at: (index) => (latenciesUs[index] ?? 0) / Number(usPerMs),
  };
}

const usPerMs = 1_000n;

/** Values of which `ones` are 1 and the others 0. */
function toFlagValues(count: bigint, ones: bigint): MetricValues {
  return {
    sum: String(ones),
    average: count === 0n ? 0 : divide(ones, count),
    count,
    countOf: (wanted) => (wanted === 1 ? ones : count - ones),
    at: (index) => (BigInt(index) < count - ones ? 0 : 1),
  };
}
