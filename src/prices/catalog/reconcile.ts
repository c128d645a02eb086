import type { PriceBook } from './price-book.ts';
import type { ModelPriceRow } from './model-prices.ts';
import { resolveModel } from './resolve-model.ts';

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

/** Discrepancies that were reviewed, each as {@link toLine} writes it, and why the price book is followed. */
export interface KnownDiscrepancies {
  readonly reason: string;
  readonly lines: readonly string[];
}

export interface Reconciliation {
  /** Models of the second source that the price book has. */
  readonly models: number;
  readonly prices: number;
  /** Models of the second source that the price book does not have. */
  readonly missing: readonly string[];
  readonly discrepancies: readonly Discrepancy[];
}

/**
 * Compares every price of a second source with the price book.
 * @param day of the second source's prices, such as 2026-08-23
 */
export function reconcile(
  book: PriceBook,
  secondSource: readonly SecondSourcePrices[],
  day: string,
): Reconciliation {
  const missing: string[] = [];
  const compared = secondSource.flatMap((other) => {
    const model = resolveModel(book, `${other.provider}/${other.id}`);
    if (model !== null) return comparePrices(book, model.llm_id, other, day);
    missing.push(`${other.provider}/${other.id}`);
    return [];
  });
  const discrepancies = compared.filter(
    ({ book: bookPrice, other }) => Math.abs(bookPrice - other) > 0.01 * Math.max(bookPrice, other),
  );
  const models = secondSource.length - missing.length;
  return { models, prices: compared.length, missing, discrepancies };
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

function comparePrices(
  book: PriceBook,
  llmId: string,
  other: SecondSourcePrices,
  day: string,
): Discrepancy[] {
  const rows = book.prices.get(llmId)?.rows.filter((row) => row.effective_date.slice(0, 10) <= day);
  const latest = rows?.at(-1)?.effective_date;
  const tiers = rows?.filter((row) => row.effective_date === latest) ?? [];
  const model = `${other.provider}/${other.id}`;
  const { longContext } = other;
  return [
    ...compareRow(model, '', tiers[0], other),
    ...(longContext === undefined || tiers.length === 0
      ? []
      : compareRow(model, ` above ${longContext.threshold}`, tiers.at(-1), longContext)),
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
