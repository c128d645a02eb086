import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();

test('deletes prices of the project, but no default prices and none of other projects', async () => {
  const price = (id: string, owner: string, fields: object = {}) => ({
    ...{ id, pricing_level: owner === 'default' ? 'default' : 'project', pricing_level_id: owner },
    ...{ provider_id: 'p', llm_id: 'm', effective_date: '2026-01-01 00:00:00', created_by: 'test' },
    ...{ prompt_token_cost: '1', completion_token_cost: '1', ...fields },
  });
  await database.insert('llm_token_prices', [
    price('a', 'p/one'),
    price('b', 'p/one'),
    // Created by a clock that is ahead.
    price('c', 'p/one', { created_at: '2199-01-01 00:00:00' }),
    price('a', 'p/two'),
    price('a', 'default'),
  ]);
  const readIds = async (owner: string): Promise<string[]> =>
    (
      await database.query<{ id: string }>(
        'SELECT id FROM llm_token_prices FINAL WHERE pricing_level_id = {owner: String} AND created_by = {author: String} ORDER BY id',
        { owner, author: 'test' },
      )
    ).map(({ id }) => id);
  const parameters = { project_id: 'p/one', cost_ids: ['a', 'c', 'unknown'] };
  // The second time changes nothing.
  for (let time = 0; time < 2; time += 1) {
    await database.clickhouse.write('purge_costs', parameters);
    expect(await readIds('p/one')).toEqual(['b']);
  }
  expect(await readIds('p/two')).toEqual(['a']);
  expect(await readIds('default')).toEqual(['a']);
});
