import { expect, test } from 'vitest';
import { openTestClickHouse } from '../../support/clickhouse.ts';

// Which of several prices applies: calls-usage-prices.test.ts, and test/prices/resolve-costs.test.ts for both alike.
test('a name without a price has no row, and one with prices has one, though it be asked for twice', async () => {
  const opened = await openTestClickHouse();
  const price = (id: string, llm_id: string) => ({
    ...{ id, pricing_level: 'project', pricing_level_id: 'p/one', provider_id: 'p', llm_id },
    ...{ effective_date: '2026-01-01 00:00:00', created_by: 'test' },
    ...{ prompt_token_cost: '1', completion_token_cost: '1' },
  });
  await opened.insert('llm_token_prices', [price('1', 'a'), price('2', 'a'), price('3', 'b')]);
  const rows = await opened.clickhouse.read<{ llm_id: string }>('resolve_costs', {
    ...{ project_id: 'p/one', models: ['a', 'none', 'a', 'b'], at: '2026-02-01 00:00:00' },
    prompt_tokens: 0,
  });
  expect(rows.map(({ llm_id }) => llm_id).sort()).toEqual(['a', 'b']);
  await opened.close();
});
