import type { ConditionalPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices';

import { toDecimalPerToken } from '../decimal.ts';

/** Prices of a model from a date on and above a prompt size, in USD per token, as decimal strings. */
export interface ModelPriceRow {
  /** Inclusive; in the format of a ClickHouse `DateTime64(6)`, in UTC. */
  readonly effective_date: string;
  /** The row applies to calls with more prompt tokens than this. */
  readonly prompt_tokens_above: number;
  readonly prompt_token_cost: string;
  readonly completion_token_cost: string;
  readonly cache_read_input_token_cost: string | null;
  readonly cache_creation_input_token_cost: string | null;
}

/** Date of prices without a date in the book: the first one that a `DateTime64` can store, so always in force. */
export const alwaysInForce = '1900-01-01 00:00:00.000000';

/** Units of the book for which `llm_token_prices` has a column. */
const tokenUnits = ['input_mtok', 'output_mtok', 'cache_read_mtok', 'cache_write_mtok'];

/**
 * Converts the prices of a model to rows. Prices by time of day are omitted, and so is a model without a price for
 * input and output tokens; {@link toMissingUnits} reports both.
 */
export function toModelPrices(model: ModelInfo): ModelPriceRow[] {
  return toDatedPrices(model)
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

/**
 * @returns which prices of a model its rows do not contain: other units, `time of day`, or `tokens` when it has no rows
 */
export function toMissingUnits(model: ModelInfo): string[] {
  const conditionalPrices = toConditionalPrices(model);
  const units = conditionalPrices.flatMap(({ prices }) => Object.keys(prices));
  const missing = new Set(units.filter((unit) => !tokenUnits.includes(unit)));
  if (conditionalPrices.some(({ constraint }) => constraint?.type === 'time_of_date')) {
    missing.add('time of day');
  }
  if (toModelPrices(model).length === 0) missing.add('tokens');
  return [...missing].sort();
}

interface DatedPrices {
  readonly effective_date: string;
  readonly prices: ModelPrice;
}

/**
 * Converts the entries that apply by date. The package applies the last entry whose constraint holds, and the first
 * entry when none does, whatever its constraint is.
 * @throws {TypeError} when dates do not ascend: the last entry in force would not have the latest date
 */
function toDatedPrices(model: ModelInfo): DatedPrices[] {
  const entries = toConditionalPrices(model).flatMap(
    ({ constraint, prices }, index): DatedPrices[] => {
      if (index === 0 || constraint === undefined)
        return [{ effective_date: alwaysInForce, prices }];
      if (constraint.type === 'time_of_date') return [];
      return [{ effective_date: `${constraint.start_date} 00:00:00.000000`, prices }];
    },
  );
  for (const [index, { effective_date }] of entries.entries()) {
    if (index > 0 && effective_date <= (entries[index - 1]?.effective_date ?? '')) {
      throw new TypeError(`The prices of ${model.id} are not sorted by date.`);
    }
  }
  return entries;
}

function toConditionalPrices(model: ModelInfo): readonly ConditionalPrice[] {
  return Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
}

/** @returns 0, and every number of prompt tokens above which another price applies; ascending */
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
