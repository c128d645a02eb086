import type { UsageMetricSpec } from '../../openapi-types.ts';

type Aggregation = UsageMetricSpec['aggregations'][number];

/** A metric with what is requested of it. */
export interface MetricSpec<Metric extends string> {
  readonly metric: Metric;
  readonly aggregations: readonly Aggregation[];
  readonly percentiles: readonly number[];
}

/** The values of one metric in one bucket and group. */
export interface MetricValues {
  /** As JSON, all digits. */
  readonly sum: string;
  /** 0 for no values; null if they are unknown. */
  readonly average: number | null;
  readonly count: bigint;
  /** How many values are 1, or 0. */
  readonly countOf: (value: 0 | 1) => bigint;
  /** The values in ascending order. */
  readonly at: (index: number) => number;
}

/** The specifications of a request, each metric once, with `sum` where nothing is requested of it. */
export function mergeSpecs<Metric extends string>(
  specs: readonly MetricSpec<Metric>[] | null | undefined,
): MetricSpec<Metric>[] {
  const merged = new Map<Metric, MetricSpec<Metric>>();
  for (const { metric, aggregations, percentiles } of specs ?? []) {
    const isEmpty = aggregations.length + percentiles.length === 0;
    const before = merged.get(metric);
    merged.set(metric, {
      metric,
      aggregations: distinct(before?.aggregations, isEmpty ? ['sum'] : aggregations),
      percentiles: distinct(before?.percentiles, percentiles),
    });
  }
  return [...merged.values()];
}

function distinct<Item>(a: readonly Item[] = [], b: readonly Item[]): Item[] {
  return [...new Set([...a, ...b])];
}

/** Whether sums and counts do not answer it. */
export function needsValues({ aggregations, percentiles }: MetricSpec<string>): boolean {
  return percentiles.length > 0 || aggregations.some((name) => !summable.includes(name));
}

const summable: readonly Aggregation[] = ['sum', 'avg', 'count'];

/** Members of a JSON object, such as `"sum_total_tokens":5`. */
export function toMembers(
  { metric, aggregations, percentiles }: MetricSpec<string>,
  values: MetricValues,
): string[] {
  return [
    ...aggregations.map((name) => `"${name}_${metric}":${aggregate(name, values)}`),
    ...percentiles.map((p) => `"p${p}_${metric}":${toPercentile(p, values)}`),
  ];
}

/** Without values sums, averages and counts are 0; others are null. */
function aggregate(name: Aggregation, values: MetricValues): string {
  const { count } = values;
  switch (name) {
    case 'sum':
      return values.sum;
    case 'avg':
      return JSON.stringify(values.average);
    case 'count':
      return String(count);
    case 'count_true':
      return String(values.countOf(1));
    case 'count_false':
      return String(values.countOf(0));
    case 'min':
      return count === 0n ? 'null' : JSON.stringify(values.at(0));
    case 'max':
      return count === 0n ? 'null' : JSON.stringify(values.at(Number(count) - 1));
  }
}

/** Interpolates between the two nearest values, as ClickHouse's `quantile` and NumPy do. */
function toPercentile(percentile: number, { count, at }: MetricValues): string {
  if (count === 0n) return 'null';
  const position = (percentile / 100) * (Number(count) - 1);
  const below = at(Math.floor(position));
  const above = at(Math.ceil(position));
  return JSON.stringify(below + (above - below) * (position - Math.floor(position)));
}

/** The quotient of two integers of any size. */
export function divide(sum: bigint, count: bigint): number {
  return Number(`${(sum * decimals) / count}e-${decimalPlaces}`);
}

const decimalPlaces = 20;
const decimals = 10n ** BigInt(decimalPlaces);
