import { describe, expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { startRow } from '../../support/part-rows.ts';
import { rollUpRows, treeRows } from '../../support/rollup-groups.ts';

const database = clickhouseFixture();

describe.each(['roll_up_flat_traces', 'roll_up_traces'] as const)('%s', (statement) => {
  test('groups calls by model, op name and quarter of an hour', async () => {
    expect(await rollUpRows(database, statement, treeRows(statement))).toEqual({
      trace: [
        { model: '', op: '', calls: 1, prompt: 0, minutes: 0 },
        { model: 'm', op: 'chat', calls: 1, prompt: 10, minutes: 0 },
        { model: 'm', op: 'chat', calls: 2, prompt: 20, minutes: 13 },
        { model: 'm', op: 'other', calls: 1, prompt: 10, minutes: 0 },
      ],
    });
  });

  test('does not roll up a trace with a cycle, but the other traces', async () => {
    const project = `${statement} cycle`;
    const groups = await rollUpRows(database, statement, [
      ...treeRows(project),
      startRow(project, { id: 'x', trace: 'cyclic', parent: 'y' }),
      startRow(project, { id: 'y', trace: 'cyclic', parent: 'x' }),
      startRow(project, { id: 'root', trace: 'cyclic' }),
    ]);
    expect(Object.keys(groups)).toEqual(['trace']);
  });
});
