import type { Provider } from '@pydantic/genai-prices';

import type { PriceBook } from './price-book.ts';

/**
 * How a name was matched: exactly, exactly but for case, as a model id of the provider in its prefix, or by a pattern
 * of the price book.
 */
export type MatchRule = 'exact' | 'case' | 'provider' | 'pattern';

export interface ResolvedModel {
  /** An llm_id of the price book. */
  readonly llm_id: string;
  readonly rule: MatchRule;
}

/** Longest name that is resolved, in characters; the longest llm_id of the book has less than half. */
const maxNameLength = 200;

const maxGatewayPrefixes = 3;

/** Prefixes that name a gateway, not a provider. */
const gatewayPrefixes = ['litellm', 'litellm_proxy', 'models'];

/** Other names of providers that the package does not match, or matches to another provider. */
const providerAliases = new Map([
  ['azure_ai', 'azure'],
  ['azure_openai', 'azure'],
  ['azure-openai', 'azure'],
  ['fireworks_ai', 'fireworks'],
]);

/** Model ids of Bedrock, such as `us.anthropic.claude-sonnet-4-5-20250929-v1:0`. */
const bedrockId =
  /^(?:(?:us|eu|apac|global|jp|au|ca|us-gov|regional)\.)?(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|nvidia|openai|qwen|writer|zai)\.[a-z]/i;

/**
 * Finds the llm_id whose prices apply to a model name that a call reports. Pure: the result depends on the book and the
 * name alone.
 * @returns null when the book does not know the name, when resellers have different prices for it and it names none of
 *   them, and when it is longer than 200 characters
 */
export function resolveModel(book: PriceBook, name: string): ResolvedModel | null {
  if (name.length > maxNameLength) return null;
  if (book.prices.has(name)) return { llm_id: name, rule: 'exact' };
  const llmId = book.byLowerCase.get(name.toLowerCase());
  if (llmId !== undefined) return { llm_id: llmId, rule: 'case' };
  return resolveByProvider(book, name, maxGatewayPrefixes);
}

function resolveByProvider(
  book: PriceBook,
  name: string,
  gatewayPrefixesLeft: number,
): ResolvedModel | null {
  const slash = name.indexOf('/');
  if (slash <= 0) return resolveWithoutPrefix(book, name);
  const [prefix, rest] = [name.slice(0, slash).toLowerCase(), name.slice(slash + 1)];
  if (gatewayPrefixes.includes(prefix) && gatewayPrefixesLeft > 0) {
    const llmId = book.byLowerCase.get(rest.toLowerCase());
    if (llmId !== undefined) return { llm_id: llmId, rule: 'provider' };
    return resolveByProvider(book, rest, gatewayPrefixesLeft - 1);
  }
  const provider = book.matcher.findProvider(providerAliases.get(prefix) ?? prefix);
  if (provider !== undefined) return resolveWithProvider(book, provider, rest);
  // An unknown prefix may be a provider with prices of its own, so nothing is guessed unless the model ids of the
  // first-party provider contain slashes themselves.
  const firstParty = book.matcher.findFirstParty(name);
  const pattern = firstParty?.model_match;
  const hasSlashes = pattern !== undefined && JSON.stringify(pattern).includes('/"');
  return firstParty !== undefined && hasSlashes
    ? resolveWithProvider(book, firstParty, name)
    : null;
}

function resolveWithoutPrefix(book: PriceBook, name: string): ResolvedModel | null {
  if (book.ambiguous.has(name)) return null;
  const bedrock = book.providers.find(({ id }) => id === 'aws' && bedrockId.test(name));
  const provider = bedrock ?? book.matcher.findFirstParty(name);
  return provider === undefined ? null : resolveWithProvider(book, provider, name);
}

function resolveWithProvider(
  book: PriceBook,
  provider: Provider,
  name: string,
): ResolvedModel | null {
  const llmId = book.byLowerCase.get(`${provider.id}/${name}`.toLowerCase());
  // OpenRouter has model ids such as `cohere/…`, with prices of its own and not of Cohere.
  const isOfProvider = llmId !== undefined && book.prices.get(llmId)?.provider_id === provider.id;
  if (isOfProvider) return { llm_id: llmId, rule: 'provider' };
  const matchedId = matchModel(book, provider, name);
  return book.prices.has(matchedId) ? { llm_id: matchedId, rule: 'pattern' } : null;
}

/** @returns `provider/model`, with the provider that lists the model: a reseller may have it from another provider */
function matchModel(book: PriceBook, reseller: Provider, name: string): string {
  const model = book.matcher.findModel(reseller, name);
  const provider = book.providers.find(({ models }) => models.some((each) => each === model));
  return model === undefined || provider === undefined ? '' : `${provider.id}/${model.id}`;
}
