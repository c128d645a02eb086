import type { MatchLogic } from '@pydantic/genai-prices';

import { findModels, matchesClause } from '../match-model.ts';
import {
  haveSamePrices,
  type BookModel,
  type BookProvider,
  type PriceBook,
} from '../price-book.ts';
import { resolveModel } from '../resolve-model.ts';

/** A name for which the book contradicts itself. */
export interface NameFinding {
  /** `provider/name`, in lower case. */
  readonly name: string;
  /** The models of different prices that claim it, or the one that the first clause in the book gives it to. */
  readonly models: readonly string[];
  readonly kind: 'two models claim it' | 'only a word of it matches';
}

/**
 * Tries every clause of the book with every name of the book and of a second source. Finds the names that models of
 * different prices claim, and those that a clause of the package claims although they name a further word than the
 * model's, such as `deepseek-r1-distill-llama-70b` for `deepseek-r1`: these have no price unless it is decided.
 * @param otherNames names of a second source
 */
export function findNameFindings(book: PriceBook, otherNames: readonly string[]): NameFinding[] {
  const names = toNames(book, otherNames);
  return book.providers.flatMap((provider) =>
    names.flatMap((name) => toFinding(book, provider, name) ?? []),
  );
}

/** @returns the findings that name-decisions.json does not decide */
export function listUndecided(
  book: PriceBook,
  findings: readonly NameFinding[],
): readonly NameFinding[] {
  return findings.filter(
    ({ name }) =>
      !book.decisions.has(name) && !book.decisions.has(name.slice(name.indexOf('/') + 1)),
  );
}

/** @returns every name that a source lists, with and without the vendor in it, in lower case */
function toNames(book: PriceBook, otherNames: readonly string[]): string[] {
  const listed = book.providers.flatMap(({ models }) =>
    models.flatMap(({ id, match }) => [id, ...toVerbatimNames(match)]),
  );
  const names = [...listed, ...otherNames].map((name) => name.toLowerCase());
  return [...new Set(names.flatMap((name) => [name, name.split('/').at(-1) ?? name]))].sort();
}

function toVerbatimNames(match: MatchLogic): string[] {
  if ('or' in match) return match.or.flatMap(toVerbatimNames);
  return 'equals' in match ? [match.equals] : [];
}

/** Ids that name a geography of Bedrock are used by no other provider. */
const bedrockId = /^(?:global|regional)\./;

function toFinding(book: PriceBook, provider: BookProvider, name: string): NameFinding | undefined {
  if (provider.id !== 'aws' && bedrockId.test(name)) return;
  const [found, ...others] = findModels(provider.models, name);
  const different = others.filter((other) => found !== undefined && !haveSamePrices(found, other));
  if (found !== undefined && different.length > 0) {
    return toNameFinding(provider, name, [found, ...different], 'two models claim it');
  }
  // A correction says that this very name has no price.
  if (found?.correction !== undefined && found.rows.length === 0) return;
  const claiming = provider.models.find(({ match }) => matchesClause(match, name));
  if (claiming === undefined) return;
  const resolved = resolveModel(book, `${provider.id}/${name}`);
  // A source lists the name as it is, perhaps without a routing suffix, and its price applies.
  if (resolved !== null && ['exact', 'case', 'suffix'].includes(resolved.rule)) return;
  if (haveSamePrices(book.prices.get(resolved?.llm_id ?? '') ?? { rows: [] }, claiming)) return;
  return toNameFinding(provider, name, [claiming], 'only a word of it matches');
}

function toNameFinding(
  provider: BookProvider,
  name: string,
  models: readonly BookModel[],
  kind: NameFinding['kind'],
): NameFinding {
  return { name: `${provider.id}/${name}`, models: models.map(({ id }) => id), kind };
}
