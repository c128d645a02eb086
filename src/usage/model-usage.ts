import { addMoney, type Money } from '../money.ts';
import type { Summation } from './roll-up.ts';
import type { UsageRow } from './query/usage-row.ts';

/** Tokens and costs of one model. */
export interface ModelUsage {
  readonly requests: bigint;
  readonly promptTokens: bigint;
  readonly completionTokens: bigint;
  readonly totalTokens: bigint;
  readonly promptCost: Money | null;
  readonly completionCost: Money | null;
}

/** Usage by model name. */
export type Usage = ReadonlyMap<string, ModelUsage>;

/** Sums tokens and costs by model. */
export const byModel: Summation<ModelUsage> = {
  toKey: ({ model }) => model,
  toSum: toModelUsage,
  add: (a, b) => ({
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    promptCost: addMoney(a.promptCost, b.promptCost),
    completionCost: addMoney(a.completionCost, b.completionCost),
  }),
};

export function toModelUsage({
  counters,
  price,
}: Pick<UsageRow, 'counters' | 'price'>): ModelUsage {
  const cost = price?.cost(counters);
  return {
    requests: counters[0] ?? 0n,
    promptTokens: counters[1] ?? 0n,
    completionTokens: counters[2] ?? 0n,
    totalTokens: counters[3] ?? 0n,
    promptCost: cost?.prompt ?? null,
    completionCost: cost?.completion ?? null,
  };
}
