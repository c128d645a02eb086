import type { Provider } from '@pydantic/genai-prices';

import type { PriceBook } from './price-book.ts';
import { findByName, findFirstParty, findModel } from './match-model.ts';

/**
 * How a name was found: as the book has it, but for case, as an id of the provider that a prefix names, or by the
 * book's clause for the model.
 */
type MatchRule = 'exact' | 'case' | 'provider' | 'pattern';

export interface ResolvedModel {
  /** An id of the book. */
  readonly llm_id: string;
  readonly rule: MatchRule;
}

/** The longest name that is looked at, in characters; the book's longest id has less than half. */
const longestName = 200;

/** How often a prefix is taken off. */
const deepestPrefix = 3;

/** Prefixes that say how a model is reached, not who sells it. */
const routes = ['litellm', 'litellm_proxy', 'models'];

/** Names of providers that the book's own clauses do not find, or take for another. */
const otherNames = new Map([
  ['azure_ai', 'azure'],
  ['azure_openai', 'azure'],
  ['azure-openai', 'azure'],
  ['fireworks_ai', 'fireworks'],
]);

/** Ids as Bedrock has them, such as `us.anthropic.claude-sonnet-4-5-20250929-v1:0`. */
const bedrockId =
  /^(?:(?:us|eu|apac|global|jp|au|ca|us-gov|regional)\.)?(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|nvidia|openai|qwen|writer|zai)\.[a-z]/i;

/**
 * Finds the id under which the book has the prices of a model, given its name as calls have it. The same book
 * and name have the same answer always; a name that is too long is not looked at.
 * @returns null where the book does not know the model, or where it is sold at several prices and nothing says by whom
 */
export function resolveModel(book: PriceBook, name: string): ResolvedModel | null {
  if (name.length > longestName) return null;
  if (book.prices.has(name)) return { llm_id: name, rule: 'exact' };
  const cased = book.byLowerCase.get(name.toLowerCase());
  if (cased !== undefined) return { llm_id: cased, rule: 'case' };
  return resolveByProvider(book, name, deepestPrefix);
}

function resolveByProvider(book: PriceBook, name: string, depth: number): ResolvedModel | null {
  const slash = name.indexOf('/');
  if (slash <= 0) return resolveBare(book, name);
  const [prefix, rest] = [name.slice(0, slash).toLowerCase(), name.slice(slash + 1)];
  if (routes.includes(prefix) && depth > 0) {
    const id = book.byLowerCase.get(rest.toLowerCase());
    if (id !== undefined) return { llm_id: id, rule: 'provider' };
    return resolveByProvider(book, rest, depth - 1);
  }
  const provider = findByName(book.providers, otherNames.get(prefix) ?? prefix);
  if (provider !== undefined) return resolveWithin(book, provider, rest);
  // Whose price a model has behind an unknown prefix cannot be said, unless the maker's ids have slashes themselves.
  const maker = findFirstParty(book.providers, name);
  const clause = maker?.model_match;
  const hasSlashes = clause !== undefined && JSON.stringify(clause).includes('/"');
  return maker !== undefined && hasSlashes ? resolveWithin(book, maker, name) : null;
}

function resolveBare(book: PriceBook, name: string): ResolvedModel | null {
  if (book.isAmbiguous(name)) return null;
  const bedrock = book.providers.find(({ id }) => id === 'aws' && bedrockId.test(name));
  const provider = bedrock ?? findFirstParty(book.providers, name);
  return provider === undefined ? null : resolveWithin(book, provider, name);
}

function resolveWithin(book: PriceBook, provider: Provider, name: string): ResolvedModel | null {
  const id = book.byLowerCase.get(`${provider.id}/${name}`.toLowerCase());
  // Openrouter lists models of others as `cohere/…`: such an id has its price, not the provider's.
  const isOwn = id !== undefined && book.prices.get(id)?.provider_id === provider.id;
  if (isOwn) return { llm_id: id, rule: 'provider' };
  const found = findModel(book.providers, provider, name);
  const llmId = found === undefined ? '' : `${found.provider.id}/${found.model.id}`;
  return book.prices.has(llmId) ? { llm_id: llmId, rule: 'pattern' } : null;
}
