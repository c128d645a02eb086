import type { PriceBoundaries } from './price-level.ts';

/** Calls of a time and of prompt sizes, as integers in text; each range includes both of its ends. */
export interface PricedRange {
  readonly min_started_us: string;
  readonly max_started_us: string;
  readonly min_prompt_size: string;
  readonly max_prompt_size: string;
}

/** The columns of sql/queries/fragments/usage/price_class.sql. */
export interface PriceClassColumns {
  readonly period_us: string;
  readonly prompt_size: string;
  readonly minute_of_week: number;
}

const usPerMinute = 60_000_000n;
const minutesPerWeek = 10_080n;

/** Added so that the minutes of 1970 and before are not below 0: 4,000 weeks, since a Monday. */
const offsetUs = 2_419_459_200_000_000n;

/** @returns the class in which all calls of the range are; null if some may have other prices than others */
export function findPriceClass(
  range: PricedRange,
  { price_dates, prompt_sizes, price_minutes }: PriceBoundaries,
): PriceClassColumns | null {
  const [minUs, maxUs] = [toInteger(range.min_started_us), toInteger(range.max_started_us)];
  const date = findCommon(price_dates, minUs, maxUs);
  const size = findCommon(
    prompt_sizes,
    toInteger(range.min_prompt_size),
    toInteger(range.max_prompt_size),
  );
  const minute = findCommonMinute(price_minutes, minUs, maxUs);
  if (date === null || size === null || minute === null) return null;
  return { period_us: String(date), prompt_size: String(size), minute_of_week: minute };
}

function findCommonMinute(
  minutes: PriceBoundaries['price_minutes'],
  minUs: number | bigint,
  maxUs: number | bigint,
): number | null {
  if (minutes.length === 1) return minutes[0] ?? null;
  const [first, last] = [toMinute(minUs), toMinute(maxUs)];
  if (first / minutesPerWeek !== last / minutesPerWeek) return null;
  return findCommon(minutes, Number(first % minutesPerWeek), Number(last % minutesPerWeek));
}

function toMinute(us: number | bigint): bigint {
  return (BigInt(us) + offsetUs) / usPerMinute;
}

/** A number where that is exact: comparing is faster then. JavaScript compares numbers with wide integers exactly. */
function toInteger(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** @returns the greatest boundary that is not above the first number, if none is between it and the last one */
function findCommon<Value extends bigint | number>(
  boundaries: readonly Value[],
  first: number | bigint,
  last: number | bigint,
): Value | null {
  let [low, high] = [0, boundaries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((boundaries[middle] as Value) > first) high = middle;
    else low = middle + 1;
  }
  const next = boundaries[low];
  if (next !== undefined && next <= last) return null;
  // The first boundary is before every call; a prompt of nothing has the size -1.
  return boundaries[Math.max(low - 1, 0)] ?? null;
}
