import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { MatchLogic, Provider } from '@pydantic/genai-prices';

import { packageUrl } from '../../package-url.ts';
import { completeRows, toCorrectedPrices, type Corrections, type Reviewed } from './corrections.ts';
import { findModels, listNamed, matchesClause } from './match-model.ts';
import {
  toDatedPrices,
  toMissingUnits,
  toModelPrices,
  type DatedPrices,
  type ModelPriceRow,
} from './model-prices.ts';

/** Default prices of every model in a version of `@pydantic/genai-prices`, with corrections (docs/prices.md). */
export interface PriceBook {
  /** The `created_by` of rows of this book. A service that finds another one in the database loads its book. */
  readonly version: string;
  /** In the order in which the package searches them. */
  readonly providers: readonly BookProvider[];
  /** By llm_id, which is `provider/model`, and also the model id alone where that is not ambiguous. */
  readonly prices: ReadonlyMap<string, BookPrices>;
  /** From an llm_id in lower case to the llm_id; to the first one in alphabetical order where only case differs. */
  readonly byLowerCase: ReadonlyMap<string, string>;
  /** Model ids that several providers list at different prices, with no first-party provider among them. */
  readonly ambiguous: ReadonlySet<string>;
  /** By name in lower case: what a name was decided to denote, where clauses or providers contradict each other. */
  readonly decisions: ReadonlyMap<string, NameDecision>;
}

export interface BookProvider {
  readonly id: string;
  /** What names without a prefix have this provider as their first-party provider. */
  readonly model_match?: MatchLogic;
  /** Providers whose models it resells at their prices. */
  readonly resells: readonly string[];
  readonly models: readonly BookModel[];
}

export interface BookModel {
  readonly provider_id: string;
  readonly id: string;
  readonly match: MatchLogic;
  readonly dated: readonly DatedPrices[];
  readonly rows: readonly ModelPriceRow[];
  readonly correction?: Reviewed;
}

/** The prices of an llm_id. */
export interface BookPrices {
  readonly provider_id: string;
  readonly rows: readonly ModelPriceRow[];
}

/** An entry of name-decisions.json. */
interface NameDecision extends Reviewed {
  readonly names: readonly string[];
  /** Null: the name has no price, since nothing says which model it is, or what that costs. */
  readonly llm_id: string | null;
}

/** What was reviewed by this project, and wins over the package. */
export interface ReviewedFiles {
  readonly corrections: Corrections;
  readonly decisions: readonly NameDecision[];
}

/** Prefix of `created_by` in every row that comes from the package, including those of 0003_default_prices.sql. */
export const priceBookAuthor = 'genai-prices ';

/** Has to be raised when the code converts the same package to different rows, so that services load them. */
const revision = 2;

/** Azure sells models of these providers at other prices than they do. */
const notResold = new Map([['azure', ['deepseek', 'x-ai']]]);

/** No corrections and no decisions: the price book as the package has it. */
export const noReviewedFiles: ReviewedFiles = {
  corrections: { prices: [], classes: [], service_tiers: [] },
  decisions: [],
};

/**
 * Reads the price book of the installed package. Nothing is fetched: the package fetches only after `updatePrices`.
 * The package is a megabyte of JavaScript, so it is imported here, while ClickHouse is starting.
 * @param files corrections and decisions to apply instead of those of this project
 */
export async function readPriceBook(files?: ReviewedFiles): Promise<PriceBook> {
  const { waitForUpdate } = await import('@pydantic/genai-prices');
  const providers = (await waitForUpdate()) ?? [];
  return toPriceBook(providers, readPriceBookVersion(), files ?? readReviewedFiles());
}

/** Reads the `version` of the price book that {@link readPriceBook} returns, without reading the book. */
export function readPriceBookVersion(): string {
  const main = import.meta.resolve('@pydantic/genai-prices');
  const text = readFileSync(new URL('../package.json', main), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  const hash = createHash('sha256');
  for (const file of reviewedFiles) hash.update(readFileSync(packageUrl(file)));
  return `${priceBookAuthor}${version}/${revision}.${hash.digest('hex').slice(0, 8)}`;
}

const reviewedFiles = [
  'src/prices/catalog/corrections.json',
  'src/prices/catalog/name-decisions.json',
] as const;

export function readReviewedFiles(): ReviewedFiles {
  const [corrections, decisions] = reviewedFiles.map((file): unknown =>
    JSON.parse(readFileSync(packageUrl(file), 'utf8')),
  );
  return {
    corrections: corrections as Corrections,
    decisions: decisions as readonly NameDecision[],
  };
}

/** @param version starts with {@link priceBookAuthor} */
export function toPriceBook(
  providers: readonly Provider[],
  version: string,
  files: ReviewedFiles = noReviewedFiles,
): PriceBook {
  const bookProviders = providers.map((provider) => toBookProvider(provider, files.corrections));
  const models = bookProviders.flatMap((provider) => provider.models);
  const prices = new Map<string, BookPrices>();
  for (const model of models) {
    if (model.rows.length > 0) prices.set(`${model.provider_id}/${model.id}`, model);
  }
  const ambiguous = addModelIds(prices, models, bookProviders);
  const decisions = toDecisionMap(files.decisions);
  applyDecisions(prices, decisions);
  const byLowerCase = toLowerCaseMap([...prices.keys()]);
  return { version, providers: bookProviders, prices, byLowerCase, ambiguous, decisions };
}

function toBookProvider(provider: Provider, corrections: Corrections): BookProvider {
  const { id, model_match, fallback_model_providers = [] } = provider;
  const corrected = corrections.prices.filter((each) => each.provider === id);
  const listed = provider.models.map((model) => {
    const correction = corrected.find((each) => each.model === model.id);
    const dated = correction === undefined ? toDatedPrices(model) : toCorrectedPrices(correction);
    const names = correction?.names;
    const match = names === undefined ? model.match : toMatch(names);
    return { id: model.id, match, dated, ...(correction === undefined ? {} : { correction }) };
  });
  const added = corrected
    .filter((each) => !provider.models.some((model) => model.id === each.model))
    .map((correction) => ({
      id: correction.model,
      match: toMatch(correction.names ?? []),
      dated: toCorrectedPrices(correction),
      correction,
    }));
  return {
    id,
    ...(model_match === undefined ? {} : { model_match }),
    resells: fallback_model_providers.filter((each) => !notResold.get(id)?.includes(each)),
    models: [...added, ...listed].map((model) => ({
      ...model,
      provider_id: id,
      rows: completeRows(toModelPrices(model.dated), id, model.id, corrections),
    })),
  };
}

function toMatch(names: readonly string[]): MatchLogic {
  return { or: names.map((name) => ({ equals: name })) };
}

/**
 * Adds prices by model id alone.
 * @returns the model ids that are ambiguous
 */
function addModelIds(
  prices: Map<string, BookPrices>,
  models: readonly BookModel[],
  providers: readonly BookProvider[],
): Set<string> {
  const qualifiedIds = new Set(models.map((model) => `${model.provider_id}/${model.id}`));
  const ambiguous = new Set<string>();
  const listings = new Map<string, BookModel[]>();
  for (const model of models) {
    listings.set(model.id, [...(listings.get(model.id) ?? []), model]);
  }
  for (const [modelId, listed] of listings) {
    // The id `deepseek/…` of OpenRouter belongs to DeepSeek if DeepSeek lists the model, even without a price.
    if (qualifiedIds.has(modelId)) continue;
    const listing = findOwnModel(providers, modelId) ?? chooseListing(listed);
    if (listing === undefined) ambiguous.add(modelId);
    else if (listing.rows.length > 0) prices.set(modelId, listing);
  }
  return ambiguous;
}

/** Finds the first-party provider of a model: the one that the package assumes when none is named. */
export function findFirstParty<Each extends { readonly model_match?: MatchLogic }>(
  providers: readonly Each[],
  modelName: string,
): Each | undefined {
  return providers.find(
    ({ model_match }) => model_match !== undefined && matchesClause(model_match, modelName),
  );
}

/**
 * Finds the model of the provider that a model id belongs to: the one before the slash, such as DeepSeek in an id of
 * OpenRouter, if it lists the rest under any name; otherwise the first-party provider, if it has a model of this name.
 */
function findOwnModel(providers: readonly BookProvider[], modelId: string): BookModel | undefined {
  const slash = modelId.indexOf('/');
  const vendor = providers.find(({ id }) => id === modelId.slice(0, Math.max(slash, 0)));
  const [named] = listNamed(vendor?.models ?? [], modelId.slice(slash + 1).toLowerCase());
  if (named !== undefined) return named;
  const firstParty = findFirstParty(providers, modelId);
  const [first, ...others] = findModels(firstParty?.models ?? [], modelId.toLowerCase());
  return first !== undefined && others.every((other) => haveSamePrices(first, other))
    ? first
    : undefined;
}

/** @returns any listing if all have the same prices */
function chooseListing(listed: readonly BookModel[]): BookModel | undefined {
  const [first, ...others] = listed;
  if (first === undefined) return undefined;
  return others.every((other) => haveSamePrices(first, other)) ? first : undefined;
}

/** @returns whether the standard prices are the same; service tiers are known of some providers only */
export function haveSamePrices(
  left: Pick<BookPrices, 'rows'>,
  right: Pick<BookPrices, 'rows'>,
): boolean {
  const toStandard = ({ rows }: Pick<BookPrices, 'rows'>): string =>
    JSON.stringify(rows.filter(({ service_tier }) => service_tier === ''));
  return toStandard(left) === toStandard(right);
}

function toDecisionMap(decisions: readonly NameDecision[]): ReadonlyMap<string, NameDecision> {
  return new Map(
    decisions.flatMap((decision) =>
      decision.names.map((name) => [name.toLowerCase(), decision] as const),
    ),
  );
}

/**
 * A name that was decided has the prices of what it denotes, even if the book lists it, in whatever case.
 * @throws {TypeError} when a name was decided to denote what the book does not have
 */
function applyDecisions(
  prices: Map<string, BookPrices>,
  decisions: ReadonlyMap<string, NameDecision>,
): void {
  const decided = new Map<NameDecision, BookPrices | undefined>();
  for (const decision of decisions.values()) {
    const { llm_id } = decision;
    decided.set(decision, llm_id === null ? undefined : prices.get(llm_id));
    if (llm_id !== null && !prices.has(llm_id)) {
      throw new TypeError(`name-decisions.json: the book has no ${llm_id}.`);
    }
  }
  for (const name of [...prices.keys()]) {
    const decision = decisions.get(name.toLowerCase());
    if (decision === undefined) continue;
    const found = decided.get(decision);
    if (found === undefined) prices.delete(name);
    else prices.set(name, found);
  }
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
        units: toMissingUnits(model.dated),
      })),
    )
    .filter(({ units }) => units.length > 0)
    .sort((left, right) => (left.llm_id < right.llm_id ? -1 : 1));
}
