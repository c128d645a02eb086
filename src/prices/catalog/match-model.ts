import type { MatchLogic, ModelInfo, Provider } from '@pydantic/genai-prices';

/** A model and the provider that lists it. */
export interface Listing {
  readonly provider: Provider;
  readonly model: ModelInfo;
}

/** The provider to which the book ascribes a model of this name when nobody says whose it is. */
export function findFirstParty(providers: readonly Provider[], name: string): Provider | undefined {
  return providers.find(
    ({ model_match }) => model_match !== undefined && isMatch(model_match, name),
  );
}

/** The provider of this id, or the one whose clause for names of providers matches, as the package looks for it. */
export function findByName(providers: readonly Provider[], name: string): Provider | undefined {
  const lower = name.toLowerCase();
  return (
    providers.find(({ id }) => id === lower) ??
    providers.find(
      ({ provider_match }) => provider_match !== undefined && isMatch(provider_match, lower),
    )
  );
}

/**
 * The first model of a provider, or of those that it resells, whose clause matches the name; where none does, the
 * first that matches once a date -20250929 is written -2025-09-29. The package does the same.
 */
export function findModel(
  providers: readonly Provider[],
  provider: Provider,
  name: string,
): Listing | undefined {
  return (
    findAsWritten(providers, provider, name) ??
    findAsWritten(providers, provider, name.replace(compactDate, '$1$2-$3-$4'))
  );
}

const compactDate = /(-)(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g;

function findAsWritten(
  providers: readonly Provider[],
  provider: Provider,
  name: string,
): Listing | undefined {
  const resold = provider.fallback_model_providers ?? [];
  const sellers = [provider, ...providers.filter(({ id }) => resold.includes(id))];
  // The order of the list of resold providers, not of all providers, decides.
  sellers.sort((left, right) => resold.indexOf(left.id) - resold.indexOf(right.id));
  for (const seller of sellers) {
    const model = seller.models.find(({ match }) => isMatch(match, name));
    if (model !== undefined) return { provider: seller, model };
  }
  return undefined;
}

/** Whether a clause of the book matches; all but regular expressions ignore case. */
function isMatch(clause: MatchLogic, name: string): boolean {
  if ('or' in clause) return clause.or.some((part) => isMatch(part, name));
  if ('and' in clause) return clause.and.every((part) => isMatch(part, name));
  if ('regex' in clause) return new RegExp(clause.regex).test(name);
  const lower = name.toLowerCase();
  if ('equals' in clause) return lower === clause.equals.toLowerCase();
  if ('starts_with' in clause) return lower.startsWith(clause.starts_with.toLowerCase());
  if ('ends_with' in clause) return lower.endsWith(clause.ends_with.toLowerCase());
  return lower.includes(clause.contains.toLowerCase());
}
