import { findModels } from './match-model.ts';
import { toModelName, toShorterNames } from './model-name.ts';
import { findFirstParty, haveSamePrices, type BookProvider, type PriceBook } from './price-book.ts';

/**
 * How a name was matched: exactly, exactly but for case, by a decision of this project, as a model id of the provider in
 * its prefix, by a pattern of the price book, or by one of these without a suffix that does not change the price.
 */
export type MatchRule = 'exact' | 'case' | 'decision' | 'provider' | 'pattern' | 'suffix';

export interface ResolvedModel {
  /** An llm_id of the price book. */
  readonly llm_id: string;
  readonly rule: MatchRule;
}

/** Longest name that is resolved, in characters; the longest llm_id of the book has less than half. */
const maxNameLength = 200;

/**
 * Finds the llm_id whose prices apply to a model name that a call reports. Pure: the result depends on the book and the
 * name alone.
 * @returns null when the book does not know the name, when it may denote models of different prices, and when it is
 *   longer than 200 characters
 */
export function resolveModel(book: PriceBook, name: string): ResolvedModel | null {
  if (name.length > maxNameLength) return null;
  const found = resolveName(book, name);
  if (found !== undefined) return found;
  for (const shorter of toShorterNames(name)) {
    const resolved = resolveName(book, shorter);
    if (resolved === null) return null;
    if (resolved !== undefined) return { llm_id: resolved.llm_id, rule: 'suffix' };
  }
  return null;
}

/** @returns null if the name is known to have no price, undefined if nothing is known */
function resolveName(book: PriceBook, name: string): ResolvedModel | null | undefined {
  const listed = lookUp(book, name);
  if (listed !== undefined) return listed;
  const isProvider = (id: string): boolean => book.providers.some((each) => each.id === id);
  const parsed = toModelName(name, isProvider);
  if (parsed === null) return null;
  const { provider_id, hasUnknownPrefix, model } = parsed;
  if (provider_id !== null) {
    return resolveWithProvider(book, toProvider(book, provider_id), model);
  }
  if (model !== name) {
    // The gateway's model id may be listed as it is.
    const inner = lookUp(book, model);
    if (inner !== undefined) return inner === null ? null : { ...inner, rule: 'provider' };
  }
  if (book.ambiguous.has(model)) return null;
  const firstParty = findFirstParty(book.providers, model);
  // An unknown prefix may be a provider with prices of its own, so nothing is guessed unless the model ids of the
  // first-party provider contain slashes themselves.
  if (hasUnknownPrefix && !JSON.stringify(firstParty?.model_match ?? '').includes('/"')) {
    return undefined;
  }
  return resolveWithProvider(book, firstParty, model);
}

/** Looks a name up as it is, but for case. */
function lookUp(book: PriceBook, name: string): ResolvedModel | null | undefined {
  const decision = book.decisions.get(name.toLowerCase());
  if (decision !== undefined) {
    return decision.llm_id === null ? null : { llm_id: decision.llm_id, rule: 'decision' };
  }
  if (book.prices.has(name)) return { llm_id: name, rule: 'exact' };
  const llmId = book.byLowerCase.get(name.toLowerCase());
  return llmId === undefined ? undefined : { llm_id: llmId, rule: 'case' };
}

function resolveWithProvider(
  book: PriceBook,
  provider: BookProvider | undefined,
  model: string,
): ResolvedModel | null | undefined {
  if (provider === undefined) return undefined;
  const name = `${provider.id}/${model}`.toLowerCase();
  const decision = book.decisions.get(name);
  if (decision !== undefined) {
    return decision.llm_id === null ? null : { llm_id: decision.llm_id, rule: 'decision' };
  }
  const llmId = book.byLowerCase.get(name);
  // OpenRouter has model ids such as `cohere/…`, with prices of its own and not of Cohere.
  const isOfProvider = llmId !== undefined && book.prices.get(llmId)?.provider_id === provider.id;
  if (isOfProvider) return { llm_id: llmId, rule: 'provider' };
  const pattern = model.toLowerCase();
  const matched = matchPattern(book, provider, pattern);
  const dashed = pattern.replace(/@(?=\d)/, '-');
  return matched === undefined && dashed !== pattern
    ? matchPattern(book, provider, dashed)
    : matched;
}

/** Matches the models of a provider, then of those whose models it resells. */
function matchPattern(
  book: PriceBook,
  provider: BookProvider,
  model: string,
): ResolvedModel | null | undefined {
  const resold = provider.resells.flatMap((id) => toProvider(book, id) ?? []);
  for (const { models } of [provider, ...resold]) {
    const [first, ...others] = findModels(models, model);
    if (first === undefined) continue;
    // Two models that claim the name at different prices: nobody knows which one it is.
    if (others.some((other) => !haveSamePrices(first, other))) return null;
    const llmId = `${first.provider_id}/${first.id}`;
    return book.prices.has(llmId) ? { llm_id: llmId, rule: 'pattern' } : null;
  }
  return undefined;
}

function toProvider(book: PriceBook, id: string): BookProvider | undefined {
  return book.providers.find((provider) => provider.id === id);
}
