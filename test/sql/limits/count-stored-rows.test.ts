import { expect, test } from 'vitest';

import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, startRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';

const database = clickhouseFixture();

test('counts the stored rows of traces, and the calls of roots whose rollup is valid', async () => {
  await database.insert('call_parts', [
    ...['settled', 'changed'].flatMap((trace) => [
      completeRow('p', { id: 'root', trace }),
      completeRow('p', { id: 'child', trace, parent: 'root' }),
    ]),
    ...['root', 'other root'].map((id) => completeRow('p', { id, trace: 'two roots' })),
  ]);
  expect(await rollUpProject(database, 'p')).toBe(0);
  await database.insert('call_parts', [startRow('p', { id: 'new', trace: 'changed' })]);
  const read = (rules_version: string) =>
    database.clickhouse.read<{ trace_id: string; rows: string; calls: string | null }>(
      'count_stored_rows',
      {
        project_id: 'p',
        trace_ids: ['settled', 'changed', 'two roots', 'unknown'],
        rules_version,
      },
    );
  const rows = await read(readRulesVersion());
  expect(rows.sort((a, b) => (a.trace_id < b.trace_id ? -1 : 1))).toEqual([
    { trace_id: 'changed', rows: '3', root_id: '', calls: null },
    { trace_id: 'settled', rows: '2', root_id: 'root', calls: '2' },
    { trace_id: 'two roots', rows: '2', root_id: '', calls: null },
  ]);
  expect((await read('0')).map(({ calls }) => calls)).toEqual([null, null, null]);
});
