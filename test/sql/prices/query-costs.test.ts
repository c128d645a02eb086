import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();

test('returns the prices of a project alone, sorted by model and date, with all digits', async () => {
  const price = (id: string, owner: string, llm_id: string, day: string, fields: object = {}) => ({
    ...{ id, pricing_level: owner === 'default' ? 'default' : 'project', pricing_level_id: owner },
    ...{ provider_id: 'p', llm_id, effective_date: `${day} 00:00:00.000001`, created_by: 'test' },
    ...{ prompt_token_cost: '0.00000015', completion_token_cost: '0', ...fields },
  });
  await database.insert('llm_token_prices', [
    price('1', 'p/one', 'b', '2026-01-01'),
    price('2', 'p/one', 'a', '2026-02-01', { cache_read_input_token_cost: '0.1' }),
    price('3', 'p/one', 'a', '2026-01-01'),
    price('4', 'p/two', 'a', '2026-01-01'),
    price('5', 'default', 'a', '2026-01-01'),
    price('6', 'p/one', 'c', '2026-01-01'),
    price('6', 'p/one', 'c', '2026-01-01', { is_deleted: 1, created_at: '2199-01-01 00:00:00' }),
  ]);
  const rows = await database.clickhouse.read<Record<string, unknown>>('query_costs', {
    ...{ project_id: 'p/one', max_costs: 3 },
  });
  expect(rows.map((row) => row['id'])).toEqual(['3', '2', '1']);
  expect(rows[1]).toMatchObject({
    effective_date: '2026-02-01T00:00:00.000001Z',
    prompt_token_cost: '0.00000015',
    cache_read_input_token_cost: '0.1',
    cache_creation_input_token_cost: null,
  });
});
