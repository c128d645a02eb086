import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, startRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('counts the calls of traces that are a tree, and answers no others', async () => {
  await database.insert('call_parts', [
    ...['tree', 'deleted', 'cycle', 'orphan', 'two roots'].flatMap((trace) => [
      startRow('p', { id: 'a root', trace }),
      completeRow('p', { id: 'a root', trace }),
      completeRow('p', { id: 'b child', trace, parent: 'a root' }),
    ]),
    deletionRow('p', { id: 'b child', trace: 'deleted' }),
    completeRow('p', { id: 'c', trace: 'cycle', parent: 'c' }),
    completeRow('p', { id: 'c', trace: 'orphan', parent: 'b missing' }),
    completeRow('p', { id: 'c', trace: 'two roots' }),
  ]);
  const trace_ids = ['tree', 'deleted', 'cycle', 'orphan', 'two roots', 'unknown'];
  const parameters = { project_id: 'p', trace_ids };
  const rows = await database.clickhouse.read<object>('count_flat_traces', parameters);
  expect(rows).toMatchObject([{ trace_id: 'tree', calls: '2' }]);
});
