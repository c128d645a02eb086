import type { ChosenPrice, UsageCounters } from '../prices/snapshot/chosen-price.ts';
import type { Summation } from './roll-up.ts';

/** What calls used of one model at one price. */
export interface PricedUsage {
  readonly model: string;
  /** Null if the usage has no price, or if nobody knows what was used. */
  readonly price: ChosenPrice | null;
  readonly counters: UsageCounters;
  /** Requests, prompt, completion and total; may be empty, see {@link UsageRow}. */
  readonly doubleCounted: readonly bigint[];
}

/** Sums usage by model and price, as its explanation needs it. */
export const byPrice: Summation<PricedUsage> = {
  toKey: ({ model, price }) => JSON.stringify([model, ...toPriceKey(price)]),
  toSum: ({ model, price, counters, doubleCounted }) => ({
    ...{ model, price, counters, doubleCounted },
  }),
  add: (a, b) => ({
    ...a,
    counters: addEach(a.counters, b.counters),
    doubleCounted: addEach(a.doubleCounted, b.doubleCounted),
  }),
};

/** An id is that of one row among those of its level and name only. */
function toPriceKey(price: ChosenPrice | null): string[] {
  if (price === null) return [];
  const { row, rule } = price;
  return [row.level, row.llmId, row.id, rule];
}

/** @param a may have another length than `b`: numbers that are not there are 0 */
export function addEach(a: readonly bigint[], b: readonly bigint[]): readonly bigint[] {
  const [longer, shorter] = a.length < b.length ? [b, a] : [a, b];
  return longer.map((n, index) => n + (shorter[index] ?? 0n));
}
