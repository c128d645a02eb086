import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { readSums, readTops, rollUpRows } from '../../support/rollups/rollup-groups.ts';
import { completeRow, deletionRow } from '../../support/rows/part-rows.ts';
import { spanRow } from '../../support/rows/span-rows.ts';
import { promptUsage } from '../../support/usage-client.ts';

const database = clickhouseFixture();

const at = (minute: string): string => `2026-01-31 12:${minute}:00.000000`;

test('each call of a trace with a cycle is in one group, which is of no top call', async () => {
  const project = 'cycle beside a root';
  const groups = await rollUpRows(database, 'roll_up_whole_traces', [
    completeRow(project, { id: 'x', parent: 'y', usage: promptUsage(1), startedAt: at('01') }),
    completeRow(project, { id: 'y', parent: 'x', usage: promptUsage(20), startedAt: at('02') }),
    completeRow(project, { id: 'below', parent: 'x', startedAt: at('03') }),
    completeRow(
      project,
      { id: 'root', usage: promptUsage(300), startedAt: at('05') },
      { ended_at: at('07') },
    ),
    completeRow(project, { id: 'child', parent: 'root', startedAt: at('06') }),
    completeRow(
      project,
      { id: 'orphan', parent: 'missing', startedAt: at('04') },
      { op_name: 'orphan' },
    ),
    completeRow(project, { id: 'deleted', parent: 'root', usage: promptUsage(4_000) }),
    deletionRow(project, { id: 'deleted' }),
  ]);
  expect(groups['trace']).toMatchObject([
    { op: '', model: '', calls: 2 },
    { op: 'orphan', model: '', calls: 1 },
    { op: '', calls: 3, prompt: 321, minutes: 4 },
  ]);
  expect(await readTops(database, project)).toEqual({ trace: ['orphan 4', ' 5 ended root'] });
  const [row] = await database.query<object>(
    'SELECT arrayDistinct(groups.top) AS tops, root_id, calls FROM trace_rollups WHERE project_id = {project: String}',
    { project },
  );
  expect(row).toEqual({ tops: ['0'], root_id: '', calls: '6' });
});

test('a trace without top calls has one without names and end, which starts with its first call', async () => {
  const project = 'cycle alone';
  await rollUpRows(database, 'roll_up_whole_traces', [
    completeRow(project, { id: 'x', parent: 'y', startedAt: at('02') }),
    completeRow(project, { id: 'y', parent: 'x', startedAt: at('01') }),
  ]);
  expect(await readTops(database, project)).toEqual({ trace: [' 1'] });
});

test('what agents repeat and what an SDK has rolled up count once', async () => {
  const project = 'double counts';
  const cycle = { id: 'cycle', parent: 'cycle 2', tokens: 1 } as const;
  const rolledUp = { usage_mode: 1 };
  await rollUpRows(database, 'roll_up_whole_traces', [
    spanRow(project, { id: 'agent', kind: 'agent', tokens: 100 }),
    spanRow(project, { id: 'call', parent: 'agent', tokens: 90 }),
    spanRow(project, cycle),
    spanRow(project, { ...cycle, id: 'cycle 2', parent: 'cycle' }),
    ...[
      { id: 'sum', usage: promptUsage(50_000) },
      { id: 'part', parent: 'sum', usage: promptUsage(20_000) },
      { id: 'cycle', parent: 'cycle', usage: promptUsage(1_000) },
    ].map((call) => completeRow(project, { ...call, trace: 'rolled up' }, rolledUp)),
  ]);
  const sums = await readSums(database, project);
  expect(
    Object.fromEntries(Object.entries(sums).map(([id, texts]) => [id, texts.map(toPrompt)])),
  ).toEqual({ trace: [92], 'rolled up': [51_000] });
});

/** @param sum a text of {@link readSums} */
function toPrompt(sum: string): number {
  return Number(sum.split(' ').at(-2));
}
