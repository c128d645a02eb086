import type { ClickHouse, Log } from '../../clickhouse/clickhouse.ts';
import { bookAuthor, type PriceBook } from './price-book.ts';
import type { ModelPriceRow } from './model-prices.ts';
import { resolveModel } from './resolve-model.ts';

/** What the book needs of an engine. */
export type PriceStore = Pick<ClickHouse, 'read' | 'insert'>;

/** A row of `llm_token_prices` that comes from the book; decimals as text. */
export interface BookRow extends ModelPriceRow {
  readonly id: string;
  readonly llm_id: string;
  readonly provider_id: string;
  /** The llm_id of which this is another name; empty for a name of the book. */
  readonly alias_of: string;
  /** How the name was found; empty for a name of the book. */
  readonly match_rule: string;
}

/** What loading a book changes. */
export interface BookChanges {
  readonly added: readonly BookRow[];
  readonly changed: readonly BookRow[];
  readonly removed: readonly BookRow[];
  readonly unchanged: readonly BookRow[];
}

/** A row of price_book_rows.sql. */
interface StoredRow extends Omit<BookRow, 'prompt_tokens_above'> {
  readonly prompt_tokens_above: string;
  readonly created_by: string;
  readonly created_at: string;
}

/**
 * Loads the book of a version as default prices unless it is the one that was loaded last, with one insert. Ids say
 * what a row is, so a book may be loaded again, and by several services at once, without a row twice.
 */
export async function loadBook(
  store: PriceStore,
  version: string,
  readBook: () => Promise<PriceBook>,
  log: Log,
): Promise<void> {
  const [last] = await store.read<{ created_by: string }>('price_book_version', {});
  if (last?.created_by === version) return;
  const book = await readBook();
  const stored = await readStored(store);
  const changes = compare(stored, book);
  const created_at = toLaterTime(stored);
  const { added, changed, removed, unchanged } = changes;
  const kept = [...added, ...changed, ...unchanged];
  await store.insert('llm_token_prices', [
    ...kept.map((row) => ({ ...toStored(row, book.version), created_at })),
    ...removed.map((row) => ({ ...toStored(row, book.version), created_at, is_deleted: 1 })),
  ]);
  log.info(
    {
      book: book.version,
      before: last?.created_by ?? '',
      models: book.prices.size,
      added: added.length,
      changed: changed.length,
      removed: removed.length,
      unchanged: unchanged.length,
    },
    'loaded default prices',
  );
}

/** What loading the book would change in what is stored. */
export async function readBookChanges(store: PriceStore, book: PriceBook): Promise<BookChanges> {
  return compare(await readStored(store), book);
}

/** The rows under which a name, another one than the model's, finds the prices of a model of the book. */
export function toBookRows(
  book: PriceBook,
  llmId: string,
  alias?: { readonly name: string; readonly rule: string },
): BookRow[] {
  const { provider_id, rows } = book.prices.get(llmId) ?? { provider_id: '', rows: [] };
  const name = alias?.name ?? llmId;
  const kind = alias === undefined ? 'book' : 'learned';
  return rows.map((row) => ({
    ...row,
    id: `${kind}:${name}@${row.effective_date.slice(0, 10)}>${row.prompt_tokens_above}`,
    llm_id: name,
    provider_id,
    alias_of: alias === undefined ? '' : llmId,
    match_rule: alias?.rule ?? '',
  }));
}

/** A row as the table has it, with its author. */
export function toStored(row: BookRow, created_by: string): object {
  return { ...row, pricing_level: 'default', pricing_level_id: 'default', created_by };
}

async function readStored(store: PriceStore): Promise<StoredRow[]> {
  return await store.read<StoredRow>('price_book_rows', { author: bookAuthor });
}

/**
 * A name that the book lists, or calls ambiguous, has the book's rows and no others; one that it lists no more keeps
 * its rows, since calls of the past have no others. Learned names are looked up anew.
 */
function compare(stored: readonly StoredRow[], book: PriceBook): BookChanges {
  const rows = [...book.prices.keys()].flatMap((llmId) => toBookRows(book, llmId));
  const learned = new Set(stored.filter((row) => row.alias_of !== '').map((row) => row.llm_id));
  for (const name of learned) {
    const found = resolveModel(book, name);
    if (found === null || found.rule === 'exact') continue;
    rows.push(...toBookRows(book, found.llm_id, { name, rule: found.rule }));
  }
  const before = new Map(stored.map((row) => [row.id, toText(row)]));
  const ids = new Set(rows.map(({ id }) => id));
  const isReplaced = (row: StoredRow): boolean =>
    !row.id.startsWith('book:') || book.prices.has(row.llm_id) || book.isAmbiguous(row.llm_id);
  return {
    added: rows.filter(({ id }) => !before.has(id)),
    changed: rows.filter((row) => (before.get(row.id) ?? toText(row)) !== toText(row)),
    removed: stored.filter((row) => !ids.has(row.id) && isReplaced(row)).map(toBookRow),
    unchanged: rows.filter((row) => before.get(row.id) === toText(row)),
  };
}

function toBookRow({ created_by: _by, created_at: _at, ...row }: StoredRow): BookRow {
  return { ...row, prompt_tokens_above: Number(row.prompt_tokens_above) };
}

function toText(row: BookRow | StoredRow): string {
  return JSON.stringify([
    row.provider_id,
    row.alias_of,
    row.match_rule,
    row.prompt_token_cost,
    row.completion_token_cost,
    row.cache_read_input_token_cost,
    row.cache_creation_input_token_cost,
  ]);
}

/** Now, but later than every stored row even where the clock is wrong: of two rows of an id the later one counts. */
function toLaterTime(stored: readonly StoredRow[]): string {
  const times = stored.map(({ created_at }) => Date.parse(`${created_at.replace(' ', 'T')}Z`));
  const time = times.reduce((latest, each) => Math.max(latest, each + 1), Date.now());
  return new Date(time).toISOString().replace('T', ' ').replace('Z', '');
}
