import { expect, test } from 'vitest';

import type { UnrolledTrace } from '../../../src/rollups/rollup-queue.ts';
import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';

const database = clickhouseFixture();
const rules_version = readRulesVersion();

async function listParts(): Promise<string[]> {
  const rows = await database.clickhouse.read<{ name: string }>('list_parts', {});
  return rows.map(({ name }) => name);
}

async function find(parts: readonly string[], more: object = {}): Promise<string[]> {
  const rows = await database.clickhouse.read<UnrolledTrace>('find_traces_to_roll_up', {
    parts,
    ...{ after_project: '', after_trace: '', max_traces: 100, rules_version },
    ...more,
  });
  return rows.map(({ project_id, trace_id, rows: count }) => `${project_id} ${trace_id} ${count}`);
}

async function insert(...traces: readonly (readonly [project: string, trace: string])[]) {
  const rows = traces.map(([project, trace], index) =>
    completeRow(project, { id: `${trace} ${index}`, trace }),
  );
  await database.insert('call_parts', rows);
}

test('finds the traces in new parts without a valid rollup, in order, from any place in it', async () => {
  // Otherwise a merge may replace a part between two statements.
  await database.command('SYSTEM STOP MERGES merged_calls');
  await insert(['a', 't1'], ['a', 't2'], ['b', 't1'], ['a', 't1']);
  const before = await listParts();
  const all = ['a t1 2', 'a t2 1', 'b t1 1'];
  expect(await find(before)).toEqual(all);
  expect(await find(before, { max_traces: 2 })).toEqual(all.slice(0, 2));
  expect(await find(before, { after_project: 'a', after_trace: 't2' })).toEqual(all.slice(2));
  expect(await find([])).toEqual([]);

  expect(await rollUpProject(database, 'a')).toBe(0);
  expect(await find(before)).toEqual(['b t1 1']);
  expect(await find(before, { rules_version: '1' })).toEqual(all);

  await insert(['a', 't2'], ['c', 't1']);
  const added = (await listParts()).filter((name) => !before.includes(name));
  expect(await find(added)).toEqual(['a t2 2', 'c t1 1']);
});
