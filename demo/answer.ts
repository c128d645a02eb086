import { DemoError } from './client.ts';

/** `LLMAggregatedUsage` of the contract, as the service fills it in. */
export interface ModelUsage {
  readonly requests: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_total_cost: number | null;
  readonly completion_tokens_total_cost: number | null;
}

/** What one call and everything below it used: model to usage. */
export type CallUsage = Readonly<Record<string, ModelUsage>>;

/** `CallsUsageRes` of the contract. */
export interface Answer {
  readonly call_usage: Readonly<Record<string, CallUsage>>;
  readonly unfinished_call_ids: readonly string[];
}

/** All models of one answered call together. */
export interface Totals {
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** USD; undefined where no model has a price. */
  readonly promptCost: number | undefined;
  readonly completionCost: number | undefined;
  readonly cost: number | undefined;
  /** Some models have a price and some have none, so the costs are those of some only. */
  readonly isPartlyPriced: boolean;
}

/** @throws {DemoError} when the answer leaves out a call that was asked for */
export function findUsage(answer: Answer, callId: string): CallUsage {
  const usage = answer.call_usage[callId];
  if (usage === undefined) throw new DemoError(`The answer says nothing of call ${callId}.`);
  return usage;
}

/** Adds up what the service answered for several models; unknown costs stay unknown. */
export function toTotals(usages: readonly ModelUsage[]): Totals {
  const sum = (pick: (usage: ModelUsage) => number): number =>
    usages.reduce((total, usage) => total + pick(usage), 0);
  const promptCost = sumKnown(usages.map((usage) => usage.prompt_tokens_total_cost));
  const completionCost = sumKnown(usages.map((usage) => usage.completion_tokens_total_cost));
  const priced = usages.filter((usage) => usage.prompt_tokens_total_cost !== null).length;
  return {
    requests: sum((usage) => usage.requests),
    promptTokens: sum((usage) => usage.prompt_tokens),
    completionTokens: sum((usage) => usage.completion_tokens),
    totalTokens: sum((usage) => usage.total_tokens),
    promptCost,
    completionCost,
    cost: sumKnown([promptCost ?? null, completionCost ?? null]),
    isPartlyPriced: priced > 0 && priced < usages.length,
  };
}

function sumKnown(costs: readonly (number | null)[]): number | undefined {
  const known = costs.filter((cost) => cost !== null);
  return known.length === 0 ? undefined : known.reduce((total, cost) => total + cost, 0);
}
