import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { countParameters } from '../../support/rows/list-parameters.ts';
import { completeRow, deletionRow, endRow, startRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('counts calls that have a start and are not deleted, once each, up to a maximum', async () => {
  await database.insert('call_parts', [
    completeRow('p/one', { id: 'a' }, { wb_run_id: 'run' }),
    completeRow('p/one', { id: 'a' }, { wb_run_id: 'run' }),
    startRow('p/one', { id: 'b', trace: 't2' }),
    endRow('p/one', { id: 'b', trace: 't2' }),
    endRow('p/one', { id: 'no start' }),
    completeRow('p/one', { id: 'deleted' }),
    deletionRow('p/one', { id: 'deleted' }),
  ]);
  const count = (more: object) =>
    database.clickhouse.read('count_calls', { ...countParameters('p/one'), ...more });
  expect(await count({})).toEqual([{ calls: '2' }]);
  expect(await count({ max_calls: 1 })).toEqual([{ calls: '1' }]);
  expect(await count({ wb_run_ids: ['run'] })).toEqual([{ calls: '1' }]);
  expect(await count({ wb_run_ids: ['run'], turn_ids: ['turn'] })).toEqual([{ calls: '0' }]);
});
