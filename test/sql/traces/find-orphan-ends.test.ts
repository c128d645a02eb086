import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, orphanEndRow, startRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';
import { rollupParameters } from '../../support/rows/trace-parameters.ts';

const database = clickhouseFixture();

test('finds the unfinished calls of rollups of the window that have an orphan end', async () => {
  const before = { startedAt: '2025-12-31 00:00:00.000000' };
  await database.insert('call_parts', [
    startRow('p', { id: 'ended', trace: 't1' }),
    startRow('p', { id: 'open', trace: 't1' }),
    startRow('p', { id: 'before', trace: 't2', ...before }),
  ]);
  expect(await rollUpProject(database, 'p')).toBe(0);
  const parameters = { ...rollupParameters('p'), has_trace_ids: false, trace_ids: [] };
  const find = () => database.clickhouse.read('find_orphan_ends', parameters);
  expect(await find()).toEqual([]);
  const ends = ['ended', 'before', 'unknown'].map((id) => orphanEndRow('p', { id }));
  await database.insert('call_parts', ends);
  expect(await find()).toEqual([{ call_id: 'ended' }]);
  // As it is when the end has been attached.
  await database.insert('call_parts', [completeRow('p', { id: 'ended', trace: 't1' })]);
  expect(await find()).toEqual([]);
});
