import type { PriceBook } from './price-book.ts';
import type { ModelPriceRow } from './model-prices.ts';
import { resolveModel } from './resolve-model.ts';

/** A model's prices from a second source, in USD per million tokens; null where it says nothing. */
export interface OtherPrices {
  readonly id: string;
  readonly provider: string;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number | null;
  readonly cacheWrite: number | null;
  /** Prices of calls whose prompt is larger than `threshold` tokens. */
  readonly longContext?: Omit<OtherPrices, 'id' | 'provider' | 'longContext'> & {
    readonly threshold: number;
  };
}

/** A price on which the book and a second source differ by more than 1 %. */
export interface Discrepancy {
  readonly model: string;
  readonly price: string;
  /** USD per million tokens. */
  readonly book: number;
  readonly other: number;
}

/** Disagreements that have been looked at, each as {@link toLine} writes it, and why the book is followed. */
export interface KnownDiscrepancies {
  readonly reason: string;
  readonly lines: readonly string[];
}

/** What comparing came to. */
export interface Reconciliation {
  /** Models of the second source that the book has too. */
  readonly models: number;
  readonly prices: number;
  /** Models of the second source that the book does not have. */
  readonly missing: readonly string[];
  readonly discrepancies: readonly Discrepancy[];
}

/** Compares every price of a second source with the book's on a day, such as 2026-08-23. */
export function reconcile(
  book: PriceBook,
  others: readonly OtherPrices[],
  day: string,
): Reconciliation {
  const missing: string[] = [];
  const compared = others.flatMap((other) => {
    const found = resolveModel(book, `${other.provider}/${other.id}`);
    if (found !== null) return comparePrices(book, found.llm_id, other, day);
    missing.push(`${other.provider}/${other.id}`);
    return [];
  });
  const discrepancies = compared.filter(
    ({ book: ours, other }) => Math.abs(ours - other) > 0.01 * Math.max(ours, other),
  );
  const models = others.length - missing.length;
  return { models, prices: compared.length, missing, discrepancies };
}

/** Writes a disagreement in a line, both prices in USD per million tokens. */
function toLine({ model, price, book, other }: Discrepancy): string {
  return `${model} ${price}: ${book}, not ${other}`;
}

/** Disagreements that nobody has accepted, and lines that were accepted and have gone. */
export function compareKnown(
  discrepancies: readonly Discrepancy[],
  accepted: readonly KnownDiscrepancies[],
): { readonly fresh: string[]; readonly gone: string[] } {
  const lines = discrepancies.map(toLine);
  const known = accepted.flatMap((each) => each.lines);
  return {
    fresh: lines.filter((line) => !known.includes(line)),
    gone: known.filter((line) => !lines.includes(line)),
  };
}

function comparePrices(
  book: PriceBook,
  llmId: string,
  other: OtherPrices,
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
  other: Omit<OtherPrices, 'id' | 'provider' | 'longContext'>,
): Discrepancy[] {
  if (row === undefined) return [];
  const pairs: [string, string | null, number | null][] = [
    ['input', row.prompt_token_cost, other.input],
    ['output', row.completion_token_cost, other.output],
    ['cache read', row.cache_read_input_token_cost, other.cacheRead],
    ['cache write', row.cache_creation_input_token_cost, other.cacheWrite],
  ];
  return pairs.flatMap(([price, ours, theirs]) =>
    ours === null || theirs === null
      ? []
      : [{ model, price: `${price}${suffix}`, book: toPerMillion(ours), other: theirs }],
  );
}

/** For people: money is not computed from it. */
function toPerMillion(perToken: string): number {
  return Number((Number(perToken) * 1e6).toPrecision(12));
}
