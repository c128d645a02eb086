import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();

// Which of several prices applies is tested in test/sql/usage/usage-prices.test.ts, and in
// test/prices/resolve-costs.test.ts that usage and this query agree.
test('returns one row for a model with prices, even if it is requested twice, and none for a model without', async () => {
  const price = (id: string, llm_id: string) => ({
    ...{ id, pricing_level: 'project', pricing_level_id: 'p/one', provider_id: 'p', llm_id },
    ...{ effective_date: '2026-01-01 00:00:00', created_by: 'test' },
    ...{ prompt_token_cost: '1', completion_token_cost: '1' },
  });
  await database.insert('llm_token_prices', [price('1', 'a'), price('2', 'a'), price('3', 'b')]);
  const rows = await database.clickhouse.read<{ llm_id: string }>('resolve_costs', {
    ...{ project_id: 'p/one', models: ['a', 'none', 'a', 'b'], at: '2026-02-01 00:00:00' },
    prompt_tokens: 0,
  });
  expect(rows.map(({ llm_id }) => llm_id).sort()).toEqual(['a', 'b']);
});
