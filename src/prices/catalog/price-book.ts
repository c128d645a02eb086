import { readFileSync } from 'node:fs';

import type { ModelInfo, Provider } from '@pydantic/genai-prices';

import { toMissingUnits, toModelPrices, type ModelPriceRow } from './model-prices.ts';

/** Default prices of every model in a version of `@pydantic/genai-prices` (docs/prices.md). */
export interface PriceBook {
  /** The `created_by` of rows of this book. A service that finds another one in the database loads its book. */
  readonly version: string;
  /** In the order in which the package searches them. */
  readonly providers: readonly Provider[];
  /** By llm_id, which is `provider/model`, and also the model id alone where that is not ambiguous. */
  readonly prices: ReadonlyMap<string, BookModel>;
  /** From an llm_id in lower case to the llm_id; to the first one in alphabetical order where only case differs. */
  readonly byLowerCase: ReadonlyMap<string, string>;
  /** Model ids that several providers list at different prices, with no first-party provider among them. */
  readonly ambiguous: ReadonlySet<string>;
  readonly matcher: NameMatcher;
}

/** The prices of an llm_id. */
interface BookModel {
  readonly provider_id: string;
  readonly rows: readonly ModelPriceRow[];
}

/** How the package matches names. */
export interface NameMatcher {
  /** Finds a provider by its id, or by another name of it such as `vertex_ai`. */
  findProvider(name: string): Provider | undefined;
  /** Finds the first-party provider of a model: the one the package assumes when none is named. */
  findFirstParty(modelName: string): Provider | undefined;
  /** Finds a model of a provider, or of the providers whose models it resells. */
  findModel(provider: Provider, modelName: string): ModelInfo | undefined;
}

/** Prefix of `created_by` in every row that comes from the package, including those of 0003_default_prices.sql. */
export const priceBookAuthor = 'genai-prices ';

/** Has to be raised when the code converts the same package to different rows, so that services load them. */
const revision = 1;

/**
 * Reads the price book of the installed package. Nothing is fetched: the package fetches only after `updatePrices`.
 * The package is a megabyte of JavaScript, so it is imported here, while ClickHouse is starting.
 */
export async function readPriceBook(): Promise<PriceBook> {
  const { calcPrice, findProvider, waitForUpdate } = await import('@pydantic/genai-prices');
  const providers = (await waitForUpdate()) ?? [];
  return toPriceBook(providers, readPriceBookVersion(), {
    findProvider: (name) => findProvider({ providerId: name }),
    findFirstParty: (modelName) => findProvider({ modelId: modelName }),
    // The package exports its matching of models only as a part of calcPrice, whose prices are floats: they are not used.
    findModel: ({ id }, modelName) => calcPrice({}, modelName, { providerId: id })?.model,
  });
}

/** Reads the `version` of the price book that {@link readPriceBook} returns, without reading the book. */
export function readPriceBookVersion(): string {
  const main = import.meta.resolve('@pydantic/genai-prices');
  const text = readFileSync(new URL('../package.json', main), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return `${priceBookAuthor}${version}/${revision}`;
}

/** @param version starts with {@link priceBookAuthor} */
export function toPriceBook(
  providers: readonly Provider[],
  version: string,
  matcher: NameMatcher,
): PriceBook {
  const prices = new Map<string, BookModel>();
  const listings = new Map<string, BookModel[]>();
  const qualifiedIds = new Set<string>();
  for (const { id: provider_id, models } of providers) {
    for (const model of models) {
      const listing = { provider_id, rows: toModelPrices(model) };
      const qualifiedId = `${provider_id}/${model.id}`;
      qualifiedIds.add(qualifiedId);
      if (listing.rows.length > 0) prices.set(qualifiedId, listing);
      listings.set(model.id, [...(listings.get(model.id) ?? []), listing]);
    }
  }
  const ambiguous = new Set<string>();
  for (const [modelId, listed] of listings) {
    // The id `deepseek/…` of OpenRouter belongs to DeepSeek if DeepSeek lists the model, even without a price.
    if (qualifiedIds.has(modelId)) continue;
    const listing = chooseListing(listed, matcher.findFirstParty(modelId)?.id);
    if (listing === undefined) ambiguous.add(modelId);
    else if (listing.rows.length > 0) prices.set(modelId, listing);
  }
  const byLowerCase = toLowerCaseMap([...prices.keys()]);
  return { version, providers, prices, byLowerCase, ambiguous, matcher };
}

/** @returns the listing of the first-party provider, or any one if all have the same prices */
function chooseListing(
  listed: readonly BookModel[],
  firstPartyId: string | undefined,
): BookModel | undefined {
  const [first, ...others] = listed;
  if (others.length === 0) return first;
  const firstParty = listed.find(({ provider_id }) => provider_id === firstPartyId);
  if (firstParty !== undefined) return firstParty;
  const rows = JSON.stringify(first?.rows);
  return others.every((other) => JSON.stringify(other.rows) === rows) ? first : undefined;
}

function toLowerCaseMap(llmIds: readonly string[]): ReadonlyMap<string, string> {
  // Of several ids the last one stays in the map.
  const descending = [...llmIds].sort().reverse();
  return new Map(descending.map((llmId) => [llmId.toLowerCase(), llmId]));
}

/** Lists the models with prices in units that rows cannot store, and these units; sorted by llm_id. */
export function listIncompleteModels(
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
