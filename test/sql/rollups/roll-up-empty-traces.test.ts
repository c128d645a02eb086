import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, endRow, startRow } from '../../support/rows/part-rows.ts';
import { findUnrolled, rollUpEmptyTraces } from '../../support/rollups/roll-up.ts';

const database = clickhouseFixture();

test('rolls up traces whose calls are all deleted or without a start, and no others', async () => {
  await database.insert('call_parts', [
    completeRow('p', { id: 'a', trace: 'deleted' }),
    deletionRow('p', { id: 'a', trace: 'deleted' }),
    endRow('p', { id: 'a', trace: 'ended' }),
    startRow('p', { id: 'a', trace: 'cycle', parent: 'a' }),
    completeRow('p', { id: 'a', trace: 'partly deleted' }),
    completeRow('p', { id: 'b', trace: 'partly deleted' }),
    deletionRow('p', { id: 'b', trace: 'partly deleted' }),
    completeRow('p', { id: 'a', trace: 'changed' }),
    deletionRow('p', { id: 'a', trace: 'changed' }),
    completeRow('other', { id: 'a', trace: 'deleted' }),
  ]);
  const found = await findUnrolled(database, 'p');
  const traces = found.map((trace) =>
    trace.trace_id === 'changed' ? { ...trace, checksum: '1' } : trace,
  );
  await rollUpEmptyTraces(database, traces);
  const unrolled = (await findUnrolled(database, 'p')).map(({ trace_id }) => trace_id);
  expect(unrolled).toEqual(['changed', 'cycle', 'partly deleted']);
  const rows = await database.query<object>('SELECT trace_id, calls FROM trace_rollups ORDER BY 1');
  expect(rows).toEqual(['deleted', 'ended'].map((trace_id) => ({ trace_id, calls: '0' })));
});
