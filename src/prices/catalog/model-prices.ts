import type { ConditionalPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices';

import { toDecimalPerToken } from '../decimal.ts';

/** What a model costs from a date on and above a prompt size; prices in USD per token, as decimal text. */
export interface ModelPriceRow {
  /** As ClickHouse reads a `DateTime64(6)`, in UTC. */
  readonly effective_date: string;
  /** The row applies to calls whose prompt has more tokens than this. */
  readonly prompt_tokens_above: number;
  readonly prompt_token_cost: string;
  readonly completion_token_cost: string;
  readonly cache_read_input_token_cost: string | null;
  readonly cache_creation_input_token_cost: string | null;
}

/** The date of prices that the book does not date: the first that a `DateTime64` can hold, so always in force. */
export const alwaysInForce = '1900-01-01 00:00:00.000000';

/** The units of the book for which `llm_token_prices` has a column. */
const tokenUnits = ['input_mtok', 'output_mtok', 'cache_read_mtok', 'cache_write_mtok'];

/**
 * Reads a model's prices as rows. Entries by time of day are left out, and a model without a price for input and
 * output tokens has none, see {@link toMissingUnits}.
 */
export function toModelPrices(model: ModelInfo): ModelPriceRow[] {
  return toEntries(model)
    .filter(({ prices }) =>
      ['input_mtok', 'output_mtok'].some((unit) => prices[unit] !== undefined),
    )
    .flatMap(({ effective_date, prices }) =>
      toTierStarts(prices).map((prompt_tokens_above) => ({
        effective_date,
        prompt_tokens_above,
        prompt_token_cost: toCost(prices, 'input_mtok', prompt_tokens_above) ?? '0',
        completion_token_cost: toCost(prices, 'output_mtok', prompt_tokens_above) ?? '0',
        cache_read_input_token_cost: toCost(prices, 'cache_read_mtok', prompt_tokens_above),
        cache_creation_input_token_cost: toCost(prices, 'cache_write_mtok', prompt_tokens_above),
      })),
    );
}

/** What of a model's prices its rows do not hold: other units, `time of day`, or `tokens` where it has none. */
export function toMissingUnits(model: ModelInfo): string[] {
  const conditional = toConditional(model);
  const units = conditional.flatMap(({ prices }) => Object.keys(prices));
  const others = new Set(units.filter((unit) => !tokenUnits.includes(unit)));
  if (conditional.some(({ constraint }) => constraint?.type === 'time_of_date')) {
    others.add('time of day');
  }
  if (toModelPrices(model).length === 0) others.add('tokens');
  return [...others].sort();
}

interface Entry {
  readonly effective_date: string;
  readonly prices: ModelPrice;
}

/**
 * The entries that apply by date. The book takes the last one whose condition holds, and the first one where none does,
 * whatever its condition is.
 * @throws {TypeError} where dates do not ascend, so that the latest date in force is not the last entry
 */
function toEntries(model: ModelInfo): Entry[] {
  const entries = toConditional(model).flatMap(({ constraint, prices }, index): Entry[] => {
    if (index === 0 || constraint === undefined) return [{ effective_date: alwaysInForce, prices }];
    if (constraint.type === 'time_of_date') return [];
    return [{ effective_date: `${constraint.start_date} 00:00:00.000000`, prices }];
  });
  for (const [index, { effective_date }] of entries.entries()) {
    if (index > 0 && effective_date <= (entries[index - 1]?.effective_date ?? '')) {
      throw new TypeError(`The prices of ${model.id} are not in the order of their dates.`);
    }
  }
  return entries;
}

function toConditional(model: ModelInfo): readonly ConditionalPrice[] {
  return Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
}

/** Every prompt size above which another price applies, and 0. */
function toTierStarts(prices: ModelPrice): number[] {
  const starts = tokenUnits.flatMap((unit) => {
    const price = prices[unit];
    return typeof price === 'object' ? price.tiers.map(({ start }) => start) : [];
  });
  return [...new Set([0, ...starts])].sort((left, right) => left - right);
}

function toCost(prices: ModelPrice, unit: string, promptTokensAbove: number): string | null {
  const price = prices[unit];
  if (price === undefined) return null;
  if (typeof price === 'number') return toDecimalPerToken(price);
  const tiers = price.tiers.filter(({ start }) => start <= promptTokensAbove);
  const top = tiers.sort((left, right) => left.start - right.start).at(-1);
  return toDecimalPerToken(top?.price ?? price.base);
}
