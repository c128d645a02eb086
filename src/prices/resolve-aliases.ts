import type { PriceBook } from './catalog/price-book.ts';
import { toBookRows, toStored, type PriceStore } from './catalog/load-price-book.ts';
import { resolveModel } from './catalog/resolve-model.ts';

/**
 * Looks up names of models for which there is no price, and stores the prices that it finds under these names.
 * Resolves with the names that have a price from now on; rejects as `ClickHouse.insert` does.
 */
export type ResolveAliases = (names: readonly string[]) => Promise<ReadonlySet<string>>;

/** How many names of one question are looked up; the others with the next ones. */
const namesAtOnce = 200;

/** How many names without a price are remembered, so that they are not looked up for every question. */
const rememberedNames = 10_000;

/** How many names one process stores at most: names come from clients, and a book's patterns fit any number of them. */
const learnedNames = 10_000;

/** Makes the function that learns names; the book is read when the first one is asked for. */
export function createAliasResolver(
  store: PriceStore,
  readBook: () => Promise<PriceBook>,
): ResolveAliases {
  const unknown = new Set<string>();
  const learned = new Set<string>();
  return async (names) => {
    const asked = names.filter((name) => !unknown.has(name)).slice(0, namesAtOnce);
    if (asked.length === 0 || learned.size >= learnedNames) return new Set();
    const book = await readBook();
    const found = new Set<string>();
    const rows = asked.flatMap((name) => {
      const model = resolveModel(book, name);
      // A name of the book without a price is one whose rows an operator has taken back.
      if (model === null || model.rule === 'exact') {
        remember(unknown, name);
        return [];
      }
      found.add(name);
      return toBookRows(book, model.llm_id, { name, rule: model.rule });
    });
    if (rows.length === 0) return found;
    await store.insert(
      'llm_token_prices',
      rows.map((row) => toStored(row, book.version)),
    );
    for (const name of found) learned.add(name);
    return found;
  };
}

/** Adds a name, in place of the oldest when there are too many. */
function remember(names: Set<string>, name: string): void {
  const [oldest] = names;
  if (names.size >= rememberedNames && oldest !== undefined) names.delete(oldest);
  names.add(name);
}
