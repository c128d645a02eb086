import { expect, test } from 'vitest';
import { defaultPrice } from '../../support/default-price.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();

test('returns the author of the rows of the price book that were loaded last, not of other default prices', async () => {
  expect(await database.clickhouse.read('price_book_version', {})).toEqual([]);
  await database.insert('llm_token_prices', [
    defaultPrice({ id: 'book:a', created_by: 'genai-prices 1', created_at: '2026-11-01 00:00:00' }),
    defaultPrice({ id: 'book:b', created_by: 'genai-prices 2', created_at: '2026-11-02 00:00:00' }),
    defaultPrice({ id: 'own', created_by: 'somebody', created_at: '2026-11-03 00:00:00' }),
  ]);
  const rows = await database.clickhouse.read('price_book_version', {});
  expect(rows).toEqual([{ created_by: 'genai-prices 2' }]);
});
