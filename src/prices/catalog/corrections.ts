import type { ModelPrice } from '@pydantic/genai-prices';

import { toProduct } from '../decimal.ts';
import {
  alwaysInForce,
  toModelPrices,
  type DatedPrices,
  type MinutesOfWeek,
  type ModelPriceRow,
} from './model-prices.ts';

/** What this project knows better than the package: corrections.json. */
export interface Corrections {
  readonly prices: readonly PriceCorrection[];
  readonly classes: readonly ClassFactor[];
  readonly service_tiers: readonly ServiceTierPrices[];
}

/** Where a correction comes from, and when somebody looked. */
export interface Reviewed {
  readonly reason: string;
  /** The address of a page that says so. */
  readonly source: string;
  /** What quotes the page, where it could not be read itself: a package and its version. */
  readonly via?: string;
  /** A day, such as 2026-11-27. */
  readonly looked_up: string;
}

/** All prices of a model, instead of those of the package; null where it has a price that is none. */
export interface PriceCorrection extends Reviewed {
  readonly provider: string;
  readonly model: string;
  /** Names of the model besides its id, instead of those of the package. */
  readonly names?: readonly string[];
  readonly prices:
    | readonly {
        /** The time from which the prices hold, inclusive, such as 2025-09-05T16:00:00Z; absent: always. */
        readonly from?: string;
        readonly prices: ModelPrice;
        readonly hours?: readonly {
          /** Such as `Mon-Fri 01:00-04:00`, in UTC. */
          readonly times: readonly string[];
          readonly prices: ModelPrice;
        }[];
      }[]
    | null;
}

/** A class that the package lacks and that costs a multiple of another one. */
interface ClassFactor extends Reviewed {
  readonly provider: string;
  /** A regular expression for model ids. */
  readonly models: string;
  readonly class: 'cache_creation_1h_input_token_cost';
  readonly factor: string;
  readonly of: 'prompt_token_cost';
}

/** What a service tier costs: all prices of a model times a factor, or prices of its own. */
interface ServiceTierPrices extends Reviewed {
  readonly provider: string;
  /** A regular expression for model ids, or model ids. */
  readonly models: string | readonly string[];
  readonly tier: 'batch' | 'flex' | 'priority';
  /** Of the factor for cache reads only; null: they cost as much as other prompt tokens. */
  readonly cache_read_factor?: string | null;
  readonly factor?: string;
  readonly prices?: ModelPrice;
  /** The number of prompt tokens above which the tier does not exist, and the standard price applies; absent: none. */
  readonly up_to_prompt_tokens?: number;
}

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** @returns the prices of a correction; none if the model has no known price */
export function toCorrectedPrices({ prices }: PriceCorrection): DatedPrices[] {
  return (prices ?? []).map((each) => ({
    effective_date: each.from === undefined ? alwaysInForce : toDate(each.from),
    prices: each.prices,
    hours: (each.hours ?? []).map((hours) => ({
      minutes_of_week: hours.times.flatMap(parseTimes),
      prices: hours.prices,
    })),
  }));
}

/** Adds classes and service tiers to the rows of a model. */
export function completeRows(
  rows: readonly ModelPriceRow[],
  provider: string,
  model: string,
  { classes, service_tiers }: Corrections,
): ModelPriceRow[] {
  const factors = classes.filter(
    (each) => each.provider === provider && isOneOf(each.models, model),
  );
  const complete = rows.map((row) => factors.reduce(addClass, row));
  const tiers = service_tiers.filter(
    (each) => each.provider === provider && isOneOf(each.models, model),
  );
  return [...complete, ...tiers.flatMap((tier) => toTierRows(complete, tier))];
}

/** @returns whether a model is one of those that a correction names */
export function isOneOf(models: string | readonly string[], model: string): boolean {
  return typeof models === 'string' ? new RegExp(models).test(model) : models.includes(model);
}

function addClass(row: ModelPriceRow, { class: name, factor, of }: ClassFactor): ModelPriceRow {
  // A model that caches nothing has no price for it either.
  if (row[name] !== null || row.cache_creation_input_token_cost === null) return row;
  return { ...row, [name]: toProduct(row[of], factor) };
}

function toTierRows(rows: readonly ModelPriceRow[], tier: ServiceTierPrices): ModelPriceRow[] {
  const { up_to_prompt_tokens: limit, prices, factor = '1' } = tier;
  const within = rows.filter(
    ({ prompt_tokens_above }) => limit === undefined || prompt_tokens_above < limit,
  );
  const above = limit === undefined ? [] : rows.filter((row) => row.prompt_tokens_above >= limit);
  const times = (price: string | null): string | null =>
    price === null ? null : toProduct(price, factor);
  const own = prices === undefined ? undefined : toModelPrices([undated(prices)])[0];
  const { cache_read_factor: cacheRead = factor } = tier;
  return [
    ...within.map((row) => ({
      ...row,
      prompt_token_cost: toProduct(row.prompt_token_cost, factor),
      completion_token_cost: toProduct(row.completion_token_cost, factor),
      cache_read_input_token_cost:
        row.cache_read_input_token_cost === null || cacheRead === null
          ? null
          : toProduct(row.cache_read_input_token_cost, cacheRead),
      cache_creation_input_token_cost: times(row.cache_creation_input_token_cost),
      cache_creation_1h_input_token_cost: times(row.cache_creation_1h_input_token_cost),
      audio_input_token_cost: times(row.audio_input_token_cost),
      audio_output_token_cost: times(row.audio_output_token_cost),
      ...toOwnPrices(own),
      service_tier: tier.tier,
    })),
    // A row of the service tier is preferred to a larger prompt size of the standard one.
    ...above.map((row) => ({ ...row, service_tier: tier.tier })),
  ];
}

function toOwnPrices(own: ModelPriceRow | undefined): Partial<ModelPriceRow> {
  if (own === undefined) return {};
  const { effective_date: _date, prompt_tokens_above: _above, minutes_of_week: _, ...prices } = own;
  return prices;
}

function undated(prices: ModelPrice): DatedPrices {
  return { effective_date: alwaysInForce, prices, hours: [] };
}

/** @throws {TypeError} for what is not a time in UTC */
function toDate(time: string): string {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time)) throw new TypeError(`Not a time: ${time}`);
  return time.replace('T', ' ').replace('Z', '.000000');
}

/** @throws {TypeError} for what does not read like `Mon-Fri 01:00-04:00` */
function parseTimes(times: string): MinutesOfWeek[] {
  const parts = /^([A-Z][a-z]{2})-([A-Z][a-z]{2}) (\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(times);
  const [first, last] = [days.indexOf(parts?.[1] ?? ''), days.indexOf(parts?.[2] ?? '')];
  const [hour, minute, endHour, endMinute] = (parts ?? []).slice(3).map(Number);
  const start = (hour ?? 0) * 60 + (minute ?? 0);
  const end = (endHour ?? 0) * 60 + (endMinute ?? 0);
  if (first < 0 || last < first || start >= end) throw new TypeError(`Not hours: ${times}`);
  return days
    .map((_, day) => ({ start: day * 24 * 60 + start, end: day * 24 * 60 + end }))
    .slice(first, last + 1);
}
