import { expect, test } from 'vitest';

import { callKey } from '../../oracle/call-key.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, startRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('returns ids and display names of calls by key, whatever the order of their parts', async () => {
  await database.insert('call_parts', [
    completeRow('p', { id: 'a', trace: 't' }, { display_name: 'named' }),
    startRow('p', { id: 'b', trace: 't' }),
    startRow('p', { id: 'b', trace: 't' }, { display_name: 'later' }),
    completeRow('p', { id: 'c', trace: 't' }),
    completeRow('p', { id: 'a', trace: 'other' }),
  ]);
  const keys = ['a', 'b', 'x'].map((id) => String(callKey('t', id)));
  const parameters = { project_id: 'p', trace_ids: ['t'], keys };
  const rows = await database.clickhouse.read<{ id: string }>('call_names', parameters);
  expect(rows.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
    { trace_id: 't', id: 'a', key: keys[0], display_name: 'named' },
    { trace_id: 't', id: 'b', key: keys[1], display_name: 'later' },
  ]);
});
