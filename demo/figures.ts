import type { Totals } from './answer.ts';

const whole = new Intl.NumberFormat('en-US');
const dollars = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 6,
  maximumFractionDigits: 6,
});
const leastShown = 0.000001;

/** `12,345`, and a dash where there is none. */
export function toCountText(count: number): string {
  return count === 0 ? '–' : whole.format(count);
}

/** USD to the millionth, so that one small call shows and columns line up. */
export function toCostText(cost: number): string {
  return cost > 0 && cost < leastShown ? `<${dollars.format(leastShown)}` : dollars.format(cost);
}

/** What a call or a model cost; unknown is not zero, and a cost that lacks a model's is a lower bound. */
export function toTotalCostText(totals: Totals): string {
  if (totals.totalTokens === 0 && totals.requests === 0) return '–';
  if (totals.cost === undefined) return 'unpriced';
  return `${totals.isPartlyPriced ? '≥ ' : ''}${toCostText(totals.cost)}`;
}
