import type { ModelInfo } from '@pydantic/genai-prices';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  priceBookAuthor,
  readPriceBook,
  toPriceBook,
  type PriceBook,
} from '../../../src/prices/catalog/price-book.ts';
import { defaultPrice } from '../../support/default-price.ts';
import { loadPriceBook } from '../../../src/prices/catalog/load-price-book.ts';
import { openTestClickHouse, type TestClickHouse } from '../../support/clickhouse/clickhouse.ts';
import { silentLog } from '../../support/silent-log.ts';

let real: PriceBook;
beforeAll(async () => {
  real = await readPriceBook();
});

async function openClickHouse(): Promise<TestClickHouse> {
  const opened = await openTestClickHouse();
  onTestFinished(() => opened.close());
  return opened;
}

async function load(opened: TestClickHouse, book: PriceBook): Promise<object[]> {
  const lines: object[] = [];
  const log = { ...silentLog, info: (line: object) => lines.push(line) };
  await loadPriceBook(opened.clickhouse, book.version, () => Promise.resolve(book), log);
  return lines;
}

interface Stored {
  readonly llm_id: string;
  readonly date: string;
  readonly above: string;
  readonly prompt: string;
  readonly service_tier: string;
  readonly hours: string;
  readonly others: readonly (string | null)[];
}

function storedOf(opened: TestClickHouse): Promise<Stored[]> {
  return opened.query(
    `SELECT llm_id, toString(effective_date) AS date, toString(prompt_tokens_above) AS above,
        toString(prompt_token_cost) AS prompt, service_tier,
        arrayStringConcat(arrayMap(each -> concat(toString(each.1), '-', toString(each.2)), minutes_of_week), ',') AS hours,
        arrayMap(each -> toString(each), [completion_token_cost, cache_read_input_token_cost,
            cache_creation_input_token_cost, cache_creation_1h_input_token_cost,
            audio_input_token_cost, audio_output_token_cost]) AS others
    FROM llm_token_prices FINAL
    ORDER BY llm_id, date, prompt_tokens_above`,
  );
}

/** The rows of a book, as {@link toLines} writes them. */
function rowsOf(book: PriceBook): string[] {
  const rows = [...book.prices].flatMap(([llmId, model]) =>
    model.rows.map((row) =>
      JSON.stringify([
        llmId,
        row.effective_date,
        String(row.prompt_tokens_above),
        row.service_tier,
        row.minutes_of_week.map(({ start, end }) => `${start}-${end}`).join(','),
        row.prompt_token_cost,
        row.completion_token_cost,
        row.cache_read_input_token_cost,
        row.cache_creation_input_token_cost,
        row.cache_creation_1h_input_token_cost,
        row.audio_input_token_cost,
        row.audio_output_token_cost,
      ]),
    ),
  );
  return rows.sort();
}

const toLines = (stored: readonly Stored[]): string[] =>
  stored
    .map((row) =>
      JSON.stringify([
        ...[row.llm_id, row.date, row.above, row.service_tier, row.hours],
        ...[row.prompt, ...row.others],
      ]),
    )
    .sort();

/** A book of one provider, with prices per million tokens. A name matches a model if it is its id and a version. */
function bookOf(version: number, prices: Readonly<Record<string, ModelInfo['prices']>>): PriceBook {
  const models = Object.entries(prices).map(([id, price]) => ({
    id,
    match: { starts_with: id },
    prices: price,
  }));
  const provider = {
    id: 'acme',
    name: 'Acme',
    api_pattern: 'acme',
    model_match: { contains: 'model' },
    models,
  };
  return toPriceBook([provider], `${priceBookAuthor}${version}`);
}

const dollars = (input_mtok: number): { input_mtok: number } => ({ input_mtok });

describe('loading the price book', () => {
  test('stores every row of the book, and removes the prices that a migration has stored', async () => {
    const opened = await openClickHouse();
    const lines = await load(opened, real);
    expect(toLines(await storedOf(opened))).toEqual(rowsOf(real));
    expect(lines).toEqual([
      expect.objectContaining({ added: rowsOf(real).length, changed: 0, removed: 6, unchanged: 0 }),
    ]);
  });

  test('a second time changes nothing and logs nothing', async () => {
    const opened = await openClickHouse();
    await load(opened, real);
    expect(await load(opened, real)).toEqual([]);
    expect(toLines(await storedOf(opened))).toEqual(rowsOf(real));
  });

  test('by several services at the same time stores each row once', async () => {
    const opened = await openClickHouse();
    await Promise.all([load(opened, real), load(opened, real), load(opened, real)]);
    expect(toLines(await storedOf(opened))).toEqual(rowsOf(real));
  });

  test('keeps default prices of other authors', async () => {
    const opened = await openClickHouse();
    await opened.command(
      `INSERT INTO llm_token_prices (id, pricing_level, pricing_level_id, llm_id, effective_date,
        prompt_token_cost, completion_token_cost, created_by)
      VALUES ('own', 'default', 'default', 'gpt-4o', '2030-01-01', 7, 7, 'operator')`,
    );
    await load(opened, real);
    const own = (await storedOf(opened)).filter(({ prompt }) => prompt === '7');
    expect(own.map(({ llm_id }) => llm_id)).toEqual(['gpt-4o']);
  });
});

describe('a new version of the price book', () => {
  const dated = (start_date: string, price: number) => ({
    constraint: { type: 'start_date' as const, start_date },
    prices: dollars(price),
  });

  test('changes, adds and removes rows of its models, and keeps models that it no longer lists', async () => {
    const opened = await openClickHouse();
    const one = bookOf(1, {
      'model-a': dollars(1),
      'model-b': [{ prices: dollars(2) }, dated('2026-01-01', 3)],
      'model-unlisted': dollars(4),
    });
    const two = bookOf(2, {
      'model-a': [{ prices: dollars(1) }, dated('2026-06-01', 5)],
      'model-b': dollars(6),
      'model-new': dollars(7),
    });
    await load(opened, one);
    // Each row is stored twice, as `id` and as `acme/id`. Added: model-a of June, model-new. Changed: the undated
    // price of model-b. Removed: model-b of January. Unchanged: the undated price of model-a.
    expect(await load(opened, two)).toEqual([
      expect.objectContaining({ added: 4, changed: 2, removed: 2, unchanged: 2 }),
    ]);
    const lines = (await storedOf(opened)).map(
      ({ llm_id, date, prompt }) => `${llm_id} ${date.slice(0, 10)} ${prompt}`,
    );
    expect(lines.filter((line) => line.startsWith('model-'))).toEqual([
      'model-a 1900-01-01 0.000001',
      'model-a 2026-06-01 0.000005',
      'model-b 1900-01-01 0.000006',
      'model-new 1900-01-01 0.000007',
      'model-unlisted 1900-01-01 0.000004',
    ]);
  });

  test('deletes the rows of model aliases that an earlier release stored', async () => {
    const opened = await openClickHouse();
    await load(opened, bookOf(1, { 'model-a': dollars(1) }));
    await opened.insert('llm_token_prices', [
      defaultPrice({
        ...{ id: 'learned:model-a-2026@1900-01-01>0', llm_id: 'model-a-2026' },
        ...{ alias_of: 'model-a', match_rule: 'pattern', created_by: 'genai-prices 1' },
      }),
    ]);
    const namesOf = async () => (await storedOf(opened)).map(({ llm_id }) => llm_id);
    expect(await namesOf()).toContain('model-a-2026');
    await load(opened, bookOf(2, { 'model-a': dollars(9) }));
    expect(await namesOf()).not.toContain('model-a-2026');
  });

  test('replaces rows that were stored by a clock that was ahead', async () => {
    const opened = await openClickHouse();
    await load(opened, bookOf(1, { 'model-a': dollars(1) }));
    await opened.command(
      `INSERT INTO llm_token_prices (* EXCEPT created_at, created_at)
      SELECT * EXCEPT created_at, toDateTime64('2199-01-01 00:00:00', 6, 'UTC') FROM llm_token_prices FINAL`,
    );
    await load(opened, bookOf(2, { 'model-a': dollars(2) }));
    const prompts = (await storedOf(opened)).filter(({ llm_id }) => llm_id === 'model-a');
    expect(prompts.map(({ prompt }) => prompt)).toEqual(['0.000002']);
  });
});
