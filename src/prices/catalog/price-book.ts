import { readFileSync } from 'node:fs';

import type { Provider } from '@pydantic/genai-prices';

import { findFirstParty } from './match-model.ts';
import { toMissingUnits, toModelPrices, type ModelPriceRow } from './model-prices.ts';

/** Default prices of every model that a version of `@pydantic/genai-prices` knows (docs/prices.md). */
export interface PriceBook {
  /** What rows of this book have in `created_by`; another one makes a service load the book again. */
  readonly version: string;
  /** In the order in which the package looks through them. */
  readonly providers: readonly Provider[];
  /** By llm_id: the model's own id, where that is not ambiguous, and `provider/model`. */
  readonly prices: ReadonlyMap<string, BookModel>;
  /** The first llm_id, in alphabetical order, of those that differ in case alone; by the id in lower case. */
  readonly byLowerCase: ReadonlyMap<string, string>;
  /** Whether a name is one of {@link ambiguous}. */
  readonly isAmbiguous: (name: string) => boolean;
  /** Ids that several providers list with other prices, none of which the package prefers; sorted. */
  readonly ambiguous: readonly string[];
}

/** The prices of an llm_id. */
interface BookModel {
  readonly provider_id: string;
  readonly rows: readonly ModelPriceRow[];
}

/** Start of `created_by` in all rows that come from the package, those of 0003_default_prices.sql among them. */
export const bookAuthor = 'genai-prices ';

/** Raise it whenever the same package gives other rows, so that they are loaded. */
const revision = 1;

/**
 * Reads the book that comes with the package; nothing is fetched, since nobody asks the package for updates. It is a
 * megabyte of JavaScript, which is loaded only here, while ClickHouse is starting.
 */
export async function readBook(): Promise<PriceBook> {
  const { waitForUpdate } = await import('@pydantic/genai-prices');
  const providers = (await waitForUpdate()) ?? [];
  return toBook(providers, readBookVersion());
}

/** {@link PriceBook.version} of the book that {@link readBook} reads. */
export function readBookVersion(): string {
  const main = import.meta.resolve('@pydantic/genai-prices');
  const text = readFileSync(new URL('../package.json', main), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return `${bookAuthor}${version}/${revision}`;
}

/** Makes a book of providers; `version` starts with {@link bookAuthor}. */
export function toBook(providers: readonly Provider[], version: string): PriceBook {
  const prices = new Map<string, BookModel>();
  const qualified = new Set<string>();
  const listings = new Map<string, BookModel[]>();
  for (const provider of providers) {
    for (const model of provider.models) {
      const priced = { provider_id: provider.id, rows: toModelPrices(model) };
      const name = `${provider.id}/${model.id}`;
      qualified.add(name);
      if (priced.rows.length > 0) prices.set(name, priced);
      listings.set(model.id, [...(listings.get(model.id) ?? []), priced]);
    }
  }
  const ambiguous = [];
  for (const [id, listed] of listings) {
    // Openrouter's `deepseek/…` is that of DeepSeek where DeepSeek lists the model, even without a price.
    if (qualified.has(id)) continue;
    const model = chooseListing(providers, id, listed);
    if (model === undefined) ambiguous.push(id);
    else if (model.rows.length > 0) prices.set(id, model);
  }
  const ambiguousIds = new Set(ambiguous);
  return {
    version,
    providers,
    prices,
    byLowerCase: toLowerCases([...prices.keys()]),
    isAmbiguous: (name) => ambiguousIds.has(name),
    ambiguous: ambiguous.sort(),
  };
}

/** Models of which more has a price than rows can hold, with the units that are missing; sorted. */
export function listIncomplete(
  book: PriceBook,
): { readonly llm_id: string; readonly units: readonly string[] }[] {
  return book.providers
    .flatMap((provider) =>
      provider.models.map((model) => ({
        llm_id: `${provider.id}/${model.id}`,
        units: toMissingUnits(model),
      })),
    )
    .filter(({ units }) => units.length > 0)
    .sort((left, right) => (left.llm_id < right.llm_id ? -1 : 1));
}

/** That of the provider which the package takes for the id, or any where all agree on every price. */
function chooseListing(
  providers: readonly Provider[],
  id: string,
  listed: readonly BookModel[],
): BookModel | undefined {
  const [first, ...others] = listed;
  if (others.length === 0) return first;
  const maker = findFirstParty(providers, id)?.id;
  const made = listed.find(({ provider_id }) => provider_id === maker);
  if (made !== undefined) return made;
  const text = JSON.stringify(first?.rows);
  return others.every(({ rows }) => JSON.stringify(rows) === text) ? first : undefined;
}

function toLowerCases(llmIds: readonly string[]): ReadonlyMap<string, string> {
  const sorted = [...llmIds].sort().reverse();
  return new Map(sorted.map((llmId) => [llmId.toLowerCase(), llmId]));
}
