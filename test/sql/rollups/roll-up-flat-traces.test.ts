import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { deletionRow, type Row, startRow } from '../../support/rows/part-rows.ts';
import { rollUpRows, treeRows } from '../../support/rollups/rollup-groups.ts';

const database = clickhouseFixture();

test.each<[string, (project: string) => Row]>([
  ['a missing parent', (project) => startRow(project, { id: '5', parent: '41' })],
  ['a second root', (project) => startRow(project, { id: '5' })],
  ['a deleted call', (project) => deletionRow(project, { id: 'd' })],
  ['a call that is its own parent', (project) => startRow(project, { id: '5', parent: '5' })],
])('a trace with %s is rolled up by roll_up_traces alone', async (what, toRow) => {
  const rows = [...treeRows(what), toRow(what)];
  expect(await rollUpRows(database, 'roll_up_flat_traces', rows)).toEqual({});
  expect(Object.keys(await rollUpRows(database, 'roll_up_traces', rows))).toEqual(['trace']);
});
