import type { ConditionalPrice, ModelPrice } from '@pydantic/genai-prices';

import { toDecimalPerToken } from '../decimal.ts';

/** Minutes since Monday 00:00 UTC, from `start`, inclusive, to `end`, exclusive. */
export interface MinutesOfWeek {
  readonly start: number;
  readonly end: number;
}

/** Prices of a model, in USD per token, as decimal strings, and the calls for which they hold. */
export interface ModelPriceRow {
  /** Inclusive; in the format of a ClickHouse `DateTime64(6)`, in UTC. */
  readonly effective_date: string;
  /** The row applies to calls with more prompt tokens than this. */
  readonly prompt_tokens_above: number;
  /** The row applies to calls of this service tier; empty: standard. */
  readonly service_tier: string;
  /** The row applies in these minutes; empty: always. */
  readonly minutes_of_week: readonly MinutesOfWeek[];
  readonly prompt_token_cost: string;
  readonly completion_token_cost: string;
  readonly cache_read_input_token_cost: string | null;
  readonly cache_creation_input_token_cost: string | null;
  readonly cache_creation_1h_input_token_cost: string | null;
  readonly audio_input_token_cost: string | null;
  readonly audio_output_token_cost: string | null;
}

/** Prices from a date on, and other ones in certain hours. */
export interface DatedPrices {
  readonly effective_date: string;
  readonly prices: ModelPrice;
  readonly hours: readonly {
    readonly minutes_of_week: readonly MinutesOfWeek[];
    readonly prices: ModelPrice;
  }[];
}

/** Date of prices without a date in the book: the first one that a `DateTime64` can store, so always in force. */
export const alwaysInForce = '1900-01-01 00:00:00.000000';

const minutesOfDay = 24 * 60;

/** Units of the book for which `llm_token_prices` has a column. */
const tokenUnits = [
  'input_mtok',
  'output_mtok',
  'cache_read_mtok',
  'cache_write_mtok',
  'cache_write_1h_mtok',
  'input_audio_mtok',
  'output_audio_mtok',
];

/**
 * Converts the prices of a model to rows. A model without any price is free and has rows of 0; one whose prices are all
 * in other units than tokens has no rows. {@link toMissingUnits} reports what rows do not contain.
 */
export function toModelPrices(datedPrices: readonly DatedPrices[]): ModelPriceRow[] {
  return datedPrices.flatMap(({ effective_date, prices, hours }) => [
    ...toTiers(effective_date, [], prices),
    ...hours.flatMap((each) => toTiers(effective_date, each.minutes_of_week, each.prices)),
  ]);
}

/** @returns the units in which a model has prices that rows do not contain, and `tokens` when it has no rows */
export function toMissingUnits(datedPrices: readonly DatedPrices[]): string[] {
  const units = datedPrices.flatMap(({ prices, hours }) =>
    [prices, ...hours.map((each) => each.prices)].flatMap((each) => Object.keys(each)),
  );
  const missing = new Set(units.filter((unit) => !tokenUnits.includes(unit)));
  if (toModelPrices(datedPrices).length === 0) missing.add('tokens');
  return [...missing].sort();
}

/**
 * Converts the prices of a model of the package. It applies the last entry whose constraint holds, and the first entry
 * when none does. Its prices by time of day hold on every day, from the date of the entry before them.
 * @throws {TypeError} when dates do not ascend: the last entry in force would not have the latest date
 */
export function toDatedPrices(model: {
  readonly id: string;
  readonly prices: ModelPrice | readonly ConditionalPrice[];
}): DatedPrices[] {
  const entries = isConditional(model.prices) ? model.prices : [{ prices: model.prices }];
  const dated: (DatedPrices & { hours: DatedPrices['hours'][number][] })[] = [];
  for (const { constraint, prices } of entries) {
    const last = dated.at(-1);
    if (last === undefined || constraint === undefined) {
      dated.push({ effective_date: alwaysInForce, prices, hours: [] });
    } else if (constraint.type === 'time_of_date') {
      const { start_time, end_time } = constraint;
      last.hours.push({ minutes_of_week: toEveryDay(start_time, end_time), prices });
    } else {
      const effective_date = `${constraint.start_date} 00:00:00.000000`;
      dated.push({ effective_date, prices, hours: [] });
    }
    const [before, latest] = [dated.at(-2)?.effective_date ?? '', dated.at(-1)?.effective_date];
    if (dated.length > 1 && (latest ?? '') <= before) {
      throw new TypeError(`The prices of ${model.id} are not sorted by date.`);
    }
  }
  return dated;
}

function isConditional(
  prices: ModelPrice | readonly ConditionalPrice[],
): prices is readonly ConditionalPrice[] {
  return Array.isArray(prices);
}

/** @param startTime such as `16:30:00Z`; a period that ends before it starts goes on after midnight */
function toEveryDay(startTime: string, endTime: string): MinutesOfWeek[] {
  const [start, end] = [toMinutes(startTime), toMinutes(endTime)];
  const periods =
    start < end
      ? [{ start, end }]
      : [
          { start: 0, end },
          { start, end: minutesOfDay },
        ];
  return [0, 1, 2, 3, 4, 5, 6].flatMap((day) =>
    periods
      .filter((period) => period.start < period.end)
      .map((period) => ({
        start: day * minutesOfDay + period.start,
        end: day * minutesOfDay + period.end,
      })),
  );
}

function toMinutes(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}

/** @returns a row for each prompt size from which another price holds */
function toTiers(
  effective_date: string,
  minutes_of_week: readonly MinutesOfWeek[],
  prices: ModelPrice,
): ModelPriceRow[] {
  const isFree = Object.keys(prices).length === 0;
  const hasTokenPrice = prices['input_mtok'] !== undefined || prices['output_mtok'] !== undefined;
  if (!isFree && !hasTokenPrice) return [];
  return toTierStarts(prices).map((prompt_tokens_above) => {
    const toCost = (unit: string): string | null => toCostAbove(prices[unit], prompt_tokens_above);
    return {
      effective_date,
      prompt_tokens_above,
      service_tier: '',
      minutes_of_week,
      prompt_token_cost: toCost('input_mtok') ?? '0',
      completion_token_cost: toCost('output_mtok') ?? '0',
      cache_read_input_token_cost: toCost('cache_read_mtok'),
      cache_creation_input_token_cost: toCost('cache_write_mtok'),
      cache_creation_1h_input_token_cost: toCost('cache_write_1h_mtok'),
      audio_input_token_cost: toCost('input_audio_mtok'),
      audio_output_token_cost: toCost('output_audio_mtok'),
    };
  });
}

/** @returns 0, and every number of prompt tokens above which another price applies; ascending */
function toTierStarts(prices: ModelPrice): number[] {
  const starts = tokenUnits.flatMap((unit) => {
    const price = prices[unit];
    return typeof price === 'object' ? price.tiers.map(({ start }) => start) : [];
  });
  return [...new Set([0, ...starts])].sort((left, right) => left - right);
}

function toCostAbove(price: ModelPrice[string], promptTokensAbove: number): string | null {
  if (price === undefined) return null;
  if (typeof price === 'number') return toDecimalPerToken(price);
  const tiers = price.tiers.filter(({ start }) => start <= promptTokensAbove);
  const top = tiers.sort((left, right) => left.start - right.start).at(-1);
  return toDecimalPerToken(top?.price ?? price.base);
}
