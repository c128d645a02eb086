import { describe, expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { endRow, startRow } from '../../support/rows/part-rows.ts';
import { readSums, readTops, rollUpRows, treeRows } from '../../support/rollups/rollup-groups.ts';

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

test.each(['roll_up_flat_traces', 'roll_up_traces'] as const)(
  '%s stores the top call of a trace, and its usage by what decides prices',
  async (statement) => {
    const project = `${statement} tops`;
    await rollUpRows(database, statement, treeRows(project));
    expect(await readTops(database, project)).toEqual({ trace: [' 0 ended root'] });
    expect(await readSums(database, project)).toEqual({ trace: ['m 10 0', 'm 30 13'] });
  },
);

test('top calls are in the order in which they start, and a call without a start is none', async () => {
  const project = 'several tops';
  const at = (minute: string): string => `2026-01-31 12:${minute}:00.000000`;
  const groups = await rollUpRows(database, 'roll_up_traces', [
    startRow(project, { id: 'late', startedAt: at('09') }, { op_name: 'late' }),
    startRow(project, { id: 'early', startedAt: at('07'), parent: '41' }, { op_name: 'early' }),
    endRow(project, { id: 'unknown', usage: { m: { prompt_tokens: 5 } } }),
    startRow(
      project,
      { id: 'child', startedAt: at('08'), parent: 'unknown' },
      { op_name: 'child' },
    ),
    startRow(project, { id: 'below', startedAt: at('08'), parent: 'child' }, { op_name: 'below' }),
  ]);
  expect(await readTops(database, project)).toEqual({
    trace: ['early 7', 'child 8', 'late 9 root'],
  });
  expect(groups['trace']?.map(({ op, prompt }) => `${op} ${prompt}`)).toEqual([
    'below 0',
    'child 0',
    'early 0',
    'late 0',
  ]);
});
