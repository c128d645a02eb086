import { toDecimalText, type Money } from '../../money.ts';
import type { MatchRule } from '../catalog/resolve-model.ts';
import type { PriceRow, TokenCosts } from './price-row.ts';

/** The price that applies to calls of a model, and how it was found. */
export interface ChosenPrice {
  readonly row: PriceRow;
  /** How the name of the model led to the row's. */
  readonly rule: MatchRule;
  /** What the provider charges besides, in units of the price book; empty for prices of a project. */
  readonly notContained: readonly string[];
  /** Exact. */
  cost(counters: UsageCounters): UsageCost;
  /** The classes that have tokens; their amounts add up to {@link cost}. */
  lines(counters: UsageCounters): BillLine[];
}

/**
 * Counters of calls: requests, prompt, completion, total, uncached text prompt, cache_read, cache_write,
 * cache_write_1h, audio_in, text completion, audio_out, requests without token counts. The classes from the fifth to the
 * eleventh are disjoint: five of the prompt, two of the completion.
 */
export type UsageCounters = readonly bigint[];

interface UsageCost {
  readonly prompt: Money;
  readonly completion: Money;
}

/** What the tokens of one class cost. */
export interface BillLine extends ClassTokens {
  /** In USD, exact. */
  readonly pricePerMillion: string;
  readonly amount: Money;
}

export interface ClassTokens {
  readonly class: TokenClass;
  readonly tokens: bigint;
}

type TokenClass =
  | 'prompt'
  | 'cache_read'
  | 'cache_write'
  | 'cache_write_1h'
  | 'audio_input'
  | 'completion'
  | 'audio_output';

interface ClassPrice {
  readonly class: TokenClass;
  /** In {@link UsageCounters}, from 0. */
  readonly position: number;
  readonly part: keyof UsageCost;
  readonly toCost: (costs: TokenCosts) => Money;
}

/** Each class of tokens with its price; a missing price is that of a more general class. */
const classPrices: readonly ClassPrice[] = [
  { class: 'prompt', position: 4, part: 'prompt', toCost: (costs) => costs.prompt_token_cost },
  {
    class: 'cache_read',
    position: 5,
    part: 'prompt',
    toCost: (costs) => costs.cache_read_input_token_cost ?? costs.prompt_token_cost,
  },
  { class: 'cache_write', position: 6, part: 'prompt', toCost: toCacheWriteCost },
  {
    class: 'cache_write_1h',
    position: 7,
    part: 'prompt',
    toCost: (costs) => costs.cache_creation_1h_input_token_cost ?? toCacheWriteCost(costs),
  },
  {
    class: 'audio_input',
    position: 8,
    part: 'prompt',
    toCost: (costs) => costs.audio_input_token_cost ?? costs.prompt_token_cost,
  },
  {
    class: 'completion',
    position: 9,
    part: 'completion',
    toCost: (costs) => costs.completion_token_cost,
  },
  {
    class: 'audio_output',
    position: 10,
    part: 'completion',
    toCost: (costs) => costs.audio_output_token_cost ?? costs.completion_token_cost,
  },
];

function toCacheWriteCost(costs: TokenCosts): Money {
  return costs.cache_creation_input_token_cost ?? costs.prompt_token_cost;
}

export function toChosenPrice(
  row: PriceRow,
  rule: MatchRule,
  notContained: readonly string[] = [],
): ChosenPrice {
  return {
    row,
    rule,
    notContained,
    cost(counters) {
      const cost = { prompt: 0n, completion: 0n };
      for (const { position, part, toCost } of classPrices) {
        const tokens = counters[position] ?? 0n;
        if (tokens !== 0n) cost[part] += tokens * toCost(row.costs);
      }
      return cost;
    },
    lines(counters) {
      return listUsedClasses(counters).map(({ class: tokenClass, position, toCost }) => {
        const tokens = counters[position] ?? 0n;
        const price = toCost(row.costs);
        const pricePerMillion = toDecimalText(price, 6);
        return { class: tokenClass, tokens, pricePerMillion, amount: tokens * price };
      });
    },
  };
}

/** The classes that have tokens, for usage without a price. */
export function toClassTokens(counters: UsageCounters): ClassTokens[] {
  return listUsedClasses(counters).map(({ class: tokenClass, position }) => {
    return { class: tokenClass, tokens: counters[position] ?? 0n };
  });
}

function listUsedClasses(counters: UsageCounters): ClassPrice[] {
  return classPrices.filter(({ position }) => (counters[position] ?? 0n) !== 0n);
}
