import type { PriceBook } from './catalog/price-book.ts';
import { toPriceBookRows, toPriceRow, type PriceStore } from './catalog/load-price-book.ts';
import { resolveModel } from './catalog/resolve-model.ts';

/**
 * Resolves names of models that have no price, and stores the prices it finds as rows under these names (model
 * aliases). This is one of the two writes that a read may cause; the other one is the repair of orphan ends.
 * @returns the names that have a price from now on
 * @throws as `ClickHouse.insert` does
 */
export type ResolveAliases = (names: readonly string[]) => Promise<ReadonlySet<string>>;

/** Names of one request that are resolved; the rest is left to later requests. */
const maxNamesPerRequest = 200;

/** Names without a price that are remembered, so that not every request resolves them again. */
const maxUnresolvableNames = 10_000;

/** Aliases that one process stores: names come from clients, and a pattern of the book matches any number of them. */
const maxStoredAliases = 10_000;

/** @param readBook is called when the first name has to be resolved */
export function createAliasResolver(
  store: PriceStore,
  readBook: () => Promise<PriceBook>,
): ResolveAliases {
  const unresolvable = new Set<string>();
  const stored = new Set<string>();
  return async (names) => {
    const candidates = names.filter((name) => !unresolvable.has(name)).slice(0, maxNamesPerRequest);
    if (candidates.length === 0 || stored.size >= maxStoredAliases) return new Set();
    const book = await readBook();
    const resolved = new Set<string>();
    const rows = candidates.flatMap((name) => {
      const model = resolveModel(book, name);
      // A name of the book itself has no price only when an operator has deleted its rows.
      if (model === null || model.rule === 'exact') {
        remember(unresolvable, name);
        return [];
      }
      resolved.add(name);
      return toPriceBookRows(book, model.llm_id, { name, rule: model.rule });
    });
    if (rows.length === 0) return resolved;
    await store.insert(
      'llm_token_prices',
      rows.map((row) => toPriceRow(row, book.version)),
    );
    for (const name of resolved) stored.add(name);
    return resolved;
  };
}

/** Adds a name, and removes the oldest one when there are too many. */
function remember(names: Set<string>, name: string): void {
  const [oldest] = names;
  if (names.size >= maxUnresolvableNames && oldest !== undefined) names.delete(oldest);
  names.add(name);
}
