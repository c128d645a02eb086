import type { Steps } from '../../slices/run-in-slices.ts';
import { type PriceRow, type StoredPriceRow, toPriceRow } from './price-row.ts';

/** The prices with one `pricing_level_id`: those of a project, or the default ones. */
export interface PriceLevel {
  /** The sum of the hashes of all stored rows; another sum means that something has changed. */
  readonly version: string;
  readonly rows: number;
  readonly byName: ReadonlyMap<string, readonly PriceRow[]>;
  readonly boundaries: PriceBoundaries;
}

/** Between neighbours of these, all calls of a model, prompt size, service tier and minute have the same price. */
export interface PriceBoundaries {
  /** Microseconds since 1970, ascending; the first is before every call. */
  readonly price_dates: readonly bigint[];
  /** Tokens, ascending; the first is 0. */
  readonly prompt_sizes: readonly bigint[];
  /** Minutes since Monday 00:00 UTC, ascending; the first is 0. */
  readonly price_minutes: readonly number[];
}

/** Parameters of ClickHouse are signed integers of 64 bits; no prompt is larger. */
const maxPromptSize = 2n ** 63n - 1n;

const minutesPerWeek = 7 * 24 * 60;

/** The boundaries of no prices: all calls are in one class. */
export const noBoundaries: PriceBoundaries = {
  price_dates: [-(2n ** 63n)],
  prompt_sizes: [0n],
  price_minutes: [0],
};

/** A project without prices; the sum of nothing is 0. */
export const noPrices: PriceLevel = {
  version: '0',
  rows: 0,
  byName: new Map(),
  boundaries: noBoundaries,
};

/** @param level of the rows to keep: a project may be named `default`, and then shares its id with the default prices */
export function* toPriceLevel(
  stored: readonly StoredPriceRow[],
  level: PriceRow['level'],
): Steps<PriceLevel> {
  const byName = new Map<string, PriceRow[]>();
  const collected = {
    dates: new Set<bigint>(),
    sizes: new Set<bigint>(),
    minutes: new Set<number>(),
  };
  let version = 0n;
  let rows = 0;
  for (const each of stored) {
    yield;
    version += BigInt(each.row_hashes);
    if (each.is_ignored || each.pricing_level !== level) continue;
    const row = toPriceRow(each);
    rows += 1;
    const sameName = byName.get(row.llmId);
    if (sameName === undefined) byName.set(row.llmId, [row]);
    else sameName.push(row);
    collected.dates.add(row.effectiveUs);
    if (row.promptTokensAbove <= maxPromptSize) collected.sizes.add(row.promptTokensAbove);
    for (const { start, end } of row.minutesOfWeek) {
      for (const minute of [start, end]) if (minute < minutesPerWeek) collected.minutes.add(minute);
    }
  }
  const boundaries = mergeBoundaries(noBoundaries, {
    price_dates: [...collected.dates],
    prompt_sizes: [...collected.sizes],
    price_minutes: [...collected.minutes],
  });
  return { version: String(BigInt.asUintN(128, version)), rows, byName, boundaries };
}

/** The prices of a level with further ones, whose version is that of the level. */
export function mergeLevels(level: PriceLevel, added: PriceLevel): PriceLevel {
  const byName = new Map(level.byName);
  for (const [name, rows] of added.byName) byName.set(name, [...(byName.get(name) ?? []), ...rows]);
  return {
    version: level.version,
    rows: level.rows + added.rows,
    byName,
    boundaries: mergeBoundaries(level.boundaries, added.boundaries),
  };
}

export function mergeBoundaries(a: PriceBoundaries, b: PriceBoundaries): PriceBoundaries {
  return {
    price_dates: toAscending(a.price_dates, b.price_dates),
    prompt_sizes: toAscending(a.prompt_sizes, b.prompt_sizes),
    price_minutes: toAscending(a.price_minutes, b.price_minutes),
  };
}

function toAscending<Value extends bigint | number>(
  a: readonly Value[],
  b: readonly Value[],
): Value[] {
  return [...new Set([...a, ...b])].sort((left, right) => (left < right ? -1 : 1));
}
