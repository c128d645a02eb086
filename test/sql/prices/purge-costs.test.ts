import { expect, test } from 'vitest';
import { openTestClickHouse } from '../../support/clickhouse.ts';

test('takes prices of the project back, and no default ones and none of others', async () => {
  const opened = await openTestClickHouse();
  const price = (id: string, of: string, more: object = {}) => ({
    ...{ id, pricing_level: of === 'default' ? 'default' : 'project', pricing_level_id: of },
    ...{ provider_id: 'p', llm_id: 'm', effective_date: '2026-01-01 00:00:00', created_by: 'test' },
    ...{ prompt_token_cost: '1', completion_token_cost: '1', ...more },
  });
  await opened.insert('llm_token_prices', [
    price('a', 'p/one'),
    price('b', 'p/one'),
    // Made by a clock that is ahead.
    price('c', 'p/one', { created_at: '2199-01-01 00:00:00' }),
    price('a', 'p/two'),
    price('a', 'default'),
  ]);
  const idsOf = async (level: string): Promise<string[]> =>
    (
      await opened.query<{ id: string }>(
        'SELECT id FROM llm_token_prices FINAL WHERE pricing_level_id = {level: String} AND created_by = {by: String} ORDER BY id',
        { level, by: 'test' },
      )
    ).map(({ id }) => id);
  const parameters = { project_id: 'p/one', cost_ids: ['a', 'c', 'unknown'] };
  // The second time changes nothing.
  for (let time = 0; time < 2; time += 1) {
    await opened.clickhouse.write('purge_costs', parameters);
    expect(await idsOf('p/one')).toEqual(['b']);
  }
  expect(await idsOf('p/two')).toEqual(['a']);
  expect(await idsOf('default')).toEqual(['a']);
  await opened.close();
});
