import type { MatchLogic } from '@pydantic/genai-prices';

import {
  isOneOf,
  toCorrectedPrices,
  type Corrections,
  type PriceCorrection,
} from '../corrections.ts';
import { toModelPrices } from '../model-prices.ts';
import type { PriceBook, ReviewedFiles } from '../price-book.ts';
import type { KnownDiscrepancies } from './reconcile.ts';

/**
 * Lists the corrections that the package has caught up with: it gives the model the same prices and the same names.
 * They have to be removed, since the next change of the price would not show.
 * @param packageBook the price book without corrections
 */
export function listObsoleteCorrections(
  packageBook: PriceBook,
  { prices, classes }: Corrections,
): string[] {
  const obsoletePrices = prices.filter((correction) => isCaughtUp(packageBook, correction));
  const obsoleteClasses = classes.filter(({ provider, models, class: name }) => {
    const listed = packageBook.providers.find(({ id }) => id === provider)?.models ?? [];
    const rows = listed.filter(({ id }) => isOneOf(models, id)).flatMap((model) => model.rows);
    return rows.every((row) => row.cache_creation_input_token_cost === null || row[name] !== null);
  });
  return [
    ...obsoletePrices.map(({ provider, model }) => `${provider}/${model}`),
    ...obsoleteClasses.map((each) => `${each.provider} ${each.models} ${each.class}`),
  ];
}

/** Lists what was looked up more than a year before a day, and models whose latest dated price is older than that. */
export function listOldPrices(
  book: PriceBook,
  { corrections, decisions }: ReviewedFiles,
  known: readonly KnownDiscrepancies[],
  day: string,
): string[] {
  const yearAgo = `${Number(day.slice(0, 4)) - 1}${day.slice(4)}`;
  const { prices, classes, service_tiers } = corrections;
  const reviewed = [
    ...prices.map((each) => ({ ...each, name: `${each.provider}/${each.model}` })),
    ...classes.map((each) => ({ ...each, name: `${each.provider} ${each.class}` })),
    ...service_tiers.map((each) => ({ ...each, name: `${each.provider} ${each.tier}` })),
    ...decisions.map((each) => ({ ...each, name: each.names.join(' ') })),
    ...known.map((each) => ({ ...each, name: each.lines[0] ?? '' })),
  ];
  const old = reviewed.filter(({ looked_up }) => looked_up < yearAgo);
  const models = book.providers.flatMap((provider) => provider.models);
  const dated = models
    .filter((model) => model.correction === undefined && model.dated.length > 1)
    .map((model) => ({ ...model, since: model.dated.at(-1)?.effective_date.slice(0, 10) ?? '' }))
    .filter(({ since }) => since < yearAgo);
  return [
    ...old.map(({ name, looked_up }) => `${name}: looked up on ${looked_up}`),
    ...dated.map(({ provider_id, id, since }) => `${provider_id}/${id}: unchanged since ${since}`),
  ];
}

function isCaughtUp(packageBook: PriceBook, correction: PriceCorrection): boolean {
  const { provider, model: id, names } = correction;
  const listed = packageBook.providers
    .find((each) => each.id === provider)
    ?.models.find((model) => model.id === id);
  if (listed === undefined) return false;
  const corrected = JSON.stringify(toModelPrices(toCorrectedPrices(correction)));
  const hasSameNames =
    names === undefined || isSameSet([...names, id], [...toNames(listed.match), id]);
  return hasSameNames && corrected === JSON.stringify(listed.rows);
}

/** @returns the names of a clause; one that leaves anything open has others than those of any correction */
function toNames(match: MatchLogic): string[] {
  if ('or' in match) return match.or.flatMap(toNames);
  return 'equals' in match ? [match.equals] : [JSON.stringify(match)];
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return JSON.stringify([...new Set(left)].sort()) === JSON.stringify([...new Set(right)].sort());
}
