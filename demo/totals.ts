import type { ModelUsage } from './client.ts';

const integers = new Intl.NumberFormat('en-US');
const dollars = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 6,
  maximumFractionDigits: 6,
});
const minShownUsd = 0.000001;

/** The sums of a call over all its models. */
export interface Totals {
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** Undefined when no model has a price. */
  readonly promptCostUsd: number | undefined;
  readonly completionCostUsd: number | undefined;
  readonly costUsd: number | undefined;
  /** Only some of the models have a price, so the costs are lower bounds. */
  readonly isPartlyPriced: boolean;
}

/** Sums the usage of several models; the cost of unpriced models stays unknown, it is not 0. */
export function toTotals(usages: readonly ModelUsage[]): Totals {
  const sum = (pick: (usage: ModelUsage) => number): number =>
    usages.reduce((total, usage) => total + pick(usage), 0);
  const promptCostUsd = sumKnown(usages.map((usage) => usage.prompt_tokens_total_cost));
  const completionCostUsd = sumKnown(usages.map((usage) => usage.completion_tokens_total_cost));
  const priced = usages.filter((usage) => usage.prompt_tokens_total_cost !== null).length;
  return {
    requests: sum((usage) => usage.requests),
    promptTokens: sum((usage) => usage.prompt_tokens),
    completionTokens: sum((usage) => usage.completion_tokens),
    totalTokens: sum((usage) => usage.total_tokens),
    promptCostUsd,
    completionCostUsd,
    costUsd: sumKnown([promptCostUsd ?? null, completionCostUsd ?? null]),
    isPartlyPriced: priced > 0 && priced < usages.length,
  };
}

function sumKnown(costs: readonly (number | null)[]): number | undefined {
  const known = costs.filter((cost) => cost !== null);
  return known.length === 0 ? undefined : known.reduce((total, cost) => total + cost, 0);
}

/** `12,345`, or a dash for 0. */
export function toCountText(count: number): string {
  return count === 0 ? '–' : integers.format(count);
}

/** USD with six decimals, so that the cost of a small call is visible and columns align. */
export function toCostText(costUsd: number): string {
  return costUsd > 0 && costUsd < minShownUsd
    ? `<${dollars.format(minShownUsd)}`
    : dollars.format(costUsd);
}

/** The cost of a call or a model: `unpriced` when unknown, `≥` when a model has no price. */
export function toTotalCostText(totals: Totals): string {
  if (totals.totalTokens === 0 && totals.requests === 0) return '–';
  if (totals.costUsd === undefined) return 'unpriced';
  return `${totals.isPartlyPriced ? '≥ ' : ''}${toCostText(totals.costUsd)}`;
}
