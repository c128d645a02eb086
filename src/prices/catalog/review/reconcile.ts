import type { Reviewed } from '../corrections.ts';
import type { ModelPriceRow } from '../model-prices.ts';
import type { PriceBook } from '../price-book.ts';
import { resolveModel } from '../resolve-model.ts';

/** Prices of a model in a second source, in USD per million tokens; null where it has none. */
export interface SecondSourcePrices {
  readonly id: string;
  readonly provider: string;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  /** Prices of calls with more than `threshold` prompt tokens. */
  readonly longContext?: Omit<SecondSourcePrices, 'id' | 'provider' | 'longContext'> & {
    readonly threshold: number;
  };
}

/** A price that differs by more than 1 % between the price book and the second source. */
export interface Discrepancy {
  readonly model: string;
  readonly price: string;
  /** USD per million tokens in the price book. */
  readonly book: number;
  /** USD per million tokens in the second source. */
  readonly other: number;
}

/** Discrepancies that were reviewed, each as {@link toLine} writes it, with the verdict. */
export interface KnownDiscrepancies extends Reviewed {
  /** `both` where the sources answer different questions, such as the price at another hour. */
  readonly right: 'book' | 'both';
  readonly lines: readonly string[];
}

export interface Reconciliation {
  /** Names of the second source, by what the price book says of them. */
  readonly names: {
    readonly unknown: readonly string[];
    readonly same: readonly string[];
    readonly different: readonly string[];
  };
  /** Number of prices that both sources have. */
  readonly prices: number;
  readonly discrepancies: readonly Discrepancy[];
}

/**
 * Compares every price of a second source with the price book: standard prices, those that hold at all hours.
 * @param day of the second source's prices, such as 2026-08-23
 */
export function reconcile(
  book: PriceBook,
  secondSource: readonly SecondSourcePrices[],
  day: string,
): Reconciliation {
  const names = { unknown: [] as string[], same: [] as string[], different: [] as string[] };
  let prices = 0;
  const discrepancies = secondSource.flatMap((other) => {
    const name = `${other.provider}/${other.id}`;
    const model = resolveModel(book, name);
    if (model === null) {
      names.unknown.push(name);
      return [];
    }
    const compared = comparePrices(book, model.llm_id, other, day);
    const different = compared.filter(isDifferent);
    (different.length > 0 ? names.different : names.same).push(name);
    prices += compared.length;
    return different;
  });
  return { names, prices, discrepancies };
}

/** @returns the discrepancies that are not known, and the lines of known ones that no longer exist */
export function compareKnown(
  discrepancies: readonly Discrepancy[],
  known: readonly KnownDiscrepancies[],
): { readonly unknown: string[]; readonly obsolete: string[] } {
  const lines = discrepancies.map(toLine);
  const knownLines = known.flatMap((each) => each.lines);
  return {
    unknown: lines.filter((line) => !knownLines.includes(line)),
    obsolete: knownLines.filter((line) => !lines.includes(line)),
  };
}

/** Writes a discrepancy as one line, both prices in USD per million tokens. */
function toLine({ model, price, book, other }: Discrepancy): string {
  return `${model} ${price}: ${book}, not ${other}`;
}

function isDifferent({ book, other }: Discrepancy): boolean {
  return Math.abs(book - other) > 0.01 * Math.max(book, other);
}

function comparePrices(
  book: PriceBook,
  llmId: string,
  other: SecondSourcePrices,
  day: string,
): Discrepancy[] {
  const rows = book.prices
    .get(llmId)
    ?.rows.filter((row) => row.service_tier === '' && row.minutes_of_week.length === 0)
    .filter((row) => row.effective_date.slice(0, 10) <= day);
  const latest = rows?.at(-1)?.effective_date;
  const tiers = rows?.filter((row) => row.effective_date === latest) ?? [];
  const model = `${other.provider}/${other.id}`;
  const { longContext } = other;
  const above = tiers.filter((row) => row.prompt_tokens_above <= (longContext?.threshold ?? 0));
  return [
    ...compareRow(model, '', tiers[0], other),
    ...(longContext === undefined
      ? []
      : compareRow(model, ` above ${longContext.threshold}`, above.at(-1), longContext)),
  ];
}

function compareRow(
  model: string,
  suffix: string,
  row: ModelPriceRow | undefined,
  other: Omit<SecondSourcePrices, 'id' | 'provider' | 'longContext'>,
): Discrepancy[] {
  if (row === undefined) return [];
  const comparisons: [string, string | null, number | null][] = [
    ['input', row.prompt_token_cost, other.input],
    ['output', row.completion_token_cost, other.output],
    ['cache read', row.cache_read_input_token_cost, other.cacheRead],
    ['cache write', row.cache_creation_input_token_cost, other.cacheWrite],
  ];
  return comparisons.flatMap(([price, perToken, otherPrice]) =>
    perToken === null || otherPrice === null
      ? []
      : [{ model, price: `${price}${suffix}`, book: toPerMillion(perToken), other: otherPrice }],
  );
}

/** A float, for comparing and printing only. */
function toPerMillion(perToken: string): number {
  return Number((Number(perToken) * 1e6).toPrecision(12));
}
