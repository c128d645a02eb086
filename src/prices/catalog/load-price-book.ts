import type { ClickHouse, Log } from '../../clickhouse/clickhouse.ts';
import { priceBookAuthor, type PriceBook } from './price-book.ts';
import type { ModelPriceRow } from './model-prices.ts';

export type PriceStore = Pick<ClickHouse, 'read' | 'insert'>;

/** A row of `llm_token_prices` that comes from the price book; decimals are strings. */
export interface PriceBookRow extends ModelPriceRow {
  readonly id: string;
  readonly llm_id: string;
  readonly provider_id: string;
}

export interface PriceBookChanges {
  readonly added: readonly PriceBookRow[];
  readonly changed: readonly PriceBookRow[];
  readonly removed: readonly PriceBookRow[];
  readonly unchanged: readonly PriceBookRow[];
}

/** A row of price_book_rows.sql. */
interface StoredRow extends Omit<PriceBookRow, 'prompt_tokens_above'> {
  readonly prompt_tokens_above: string;
  readonly created_by: string;
  readonly created_at: string;
}

/**
 * Loads the price book as default prices, with one insert, unless this version was loaded last. The id of a row is
 * derived from its content, so loading a book again, or by several services at the same time, duplicates no row.
 */
export async function loadPriceBook(
  store: PriceStore,
  version: string,
  readBook: () => Promise<PriceBook>,
  log: Log,
): Promise<void> {
  const [loaded] = await store.read<{ created_by: string }>('price_book_version', {});
  if (loaded?.created_by === version) return;
  const book = await readBook();
  const stored = await readStoredRows(store);
  const { added, changed, removed, unchanged } = toChanges(stored, book);
  const created_at = toLaterTime(stored);
  await store.insert('llm_token_prices', [
    ...[...added, ...changed, ...unchanged].map((row) => ({
      ...toPriceRow(row, book.version),
      created_at,
    })),
    ...removed.map((row) => ({ ...toPriceRow(row, book.version), created_at, is_deleted: 1 })),
  ]);
  log.info(
    {
      book: book.version,
      before: loaded?.created_by ?? '',
      models: book.prices.size,
      added: added.length,
      changed: changed.length,
      removed: removed.length,
      unchanged: unchanged.length,
    },
    'loaded default prices',
  );
}

/** Reads what loading the book would change, and changes nothing. */
export async function readPriceBookChanges(
  store: PriceStore,
  book: PriceBook,
): Promise<PriceBookChanges> {
  return toChanges(await readStoredRows(store), book);
}

function toPriceBookRows(book: PriceBook, llmId: string): PriceBookRow[] {
  const { provider_id, rows } = book.prices.get(llmId) ?? { provider_id: '', rows: [] };
  return rows.map((row) => ({
    ...row,
    id: `book:${llmId}@${toRowKey(row)}`,
    llm_id: llmId,
    provider_id,
  }));
}

/** @returns what tells the rows of a name apart */
function toRowKey(row: ModelPriceRow): string {
  const date = row.effective_date.replace(' 00:00:00.000000', '').replace('.000000', '');
  const hours = row.minutes_of_week.map(({ start, end }) => `${start}-${end}`).join(',');
  const parts = [row.service_tier, hours].filter((part) => part !== '');
  return [`${date}>${row.prompt_tokens_above}`, ...parts].join(' ');
}

/** Converts a row to a default price of `llm_token_prices`. */
function toPriceRow(row: PriceBookRow, created_by: string): object {
  return { ...row, pricing_level: 'default', pricing_level_id: 'default', created_by };
}

async function readStoredRows(store: PriceStore): Promise<StoredRow[]> {
  return await store.read<StoredRow>('price_book_rows', { author: priceBookAuthor });
}

/**
 * A model that the book lists, if only as one without a price, gets exactly the rows of the book. A model that the book
 * no longer lists keeps its rows: calls of the past have no other price. Model aliases, which earlier releases stored
 * as rows of their own, are removed.
 */
function toChanges(stored: readonly StoredRow[], book: PriceBook): PriceBookChanges {
  const rows = [...book.prices.keys()].flatMap((llmId) => toPriceBookRows(book, llmId));
  const storedPrices = new Map(stored.map((row) => [row.id, toComparable(row)]));
  const ids = new Set(rows.map(({ id }) => id));
  const listed = toListedNames(book);
  const isReplaced = (row: StoredRow): boolean =>
    !row.id.startsWith('book:') ||
    listed.has(row.llm_id) ||
    book.decisions.has(row.llm_id.toLowerCase());
  return {
    added: rows.filter(({ id }) => !storedPrices.has(id)),
    changed: rows.filter(
      (row) => (storedPrices.get(row.id) ?? toComparable(row)) !== toComparable(row),
    ),
    removed: stored.filter((row) => !ids.has(row.id) && isReplaced(row)).map(toPriceBookRow),
    unchanged: rows.filter((row) => storedPrices.get(row.id) === toComparable(row)),
  };
}

/** @returns every name of a model that the book lists, with and without a price */
function toListedNames({ providers }: PriceBook): ReadonlySet<string> {
  return new Set(
    providers.flatMap(({ models }) =>
      models.flatMap(({ provider_id, id }) => [`${provider_id}/${id}`, id]),
    ),
  );
}

function toPriceBookRow({ created_by: _by, created_at: _at, ...row }: StoredRow): PriceBookRow {
  return { ...row, prompt_tokens_above: Number(row.prompt_tokens_above) };
}

function toComparable(row: PriceBookRow | StoredRow): string {
  return JSON.stringify([
    row.provider_id,
    row.prompt_token_cost,
    row.completion_token_cost,
    row.cache_read_input_token_cost,
    row.cache_creation_input_token_cost,
    row.cache_creation_1h_input_token_cost,
    row.audio_input_token_cost,
    row.audio_output_token_cost,
  ]);
}

/** @returns now, or later than every stored row when a clock was ahead: of two rows of an id the later one counts */
function toLaterTime(stored: readonly StoredRow[]): string {
  const times = stored.map(({ created_at }) => Date.parse(`${created_at.replace(' ', 'T')}Z`));
  const time = times.reduce((latest, each) => Math.max(latest, each + 1), Date.now());
  return new Date(time).toISOString().replace('T', ' ').replace('Z', '');
}
