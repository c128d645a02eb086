import { expect, test } from 'vitest';
import { defaultPrice } from '../../support/default-price.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();

test('returns the latest rows of the price book, without deleted ones and those of other authors', async () => {
  const [first, second] = ['2026-11-01 00:00:00', '2026-11-02 00:00:00'];
  const price = (id: string, fields: object = {}) =>
    defaultPrice({ id, created_by: 'a-book 1', created_at: first, ...fields });
  await database.insert('llm_token_prices', [
    price('kept', { prompt_token_cost: '0.00000015', prompt_tokens_above: 200_000 }),
    price('changed', { prompt_token_cost: '1' }),
    price('deleted'),
    price('of another author', { created_by: 'somebody' }),
    price('of a project', { pricing_level: 'project', pricing_level_id: 'a/b' }),
  ]);
  await database.insert('llm_token_prices', [
    price('changed', { prompt_token_cost: '2', created_at: second }),
    price('deleted', { is_deleted: 1, created_at: second }),
  ]);
  const rows = await database.clickhouse.read<{ id: string }>('price_book_rows', {
    author: 'a-book ',
  });
  expect(rows.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
    expect.objectContaining({ id: 'changed', prompt_token_cost: '2' }),
    {
      id: 'kept',
      llm_id: 'a-model',
      provider_id: 'default',
      effective_date: '1900-01-01 00:00:00.000000',
      prompt_tokens_above: '200000',
      prompt_token_cost: '0.00000015',
      completion_token_cost: '0',
      cache_read_input_token_cost: null,
      cache_creation_input_token_cost: null,
      cache_creation_1h_input_token_cost: null,
      ...{ audio_input_token_cost: null, audio_output_token_cost: null },
      ...{ service_tier: '', minutes_of_week: [] },
      created_by: 'a-book 1',
      created_at: '2026-11-01 00:00:00.000000',
    },
  ]);
});
