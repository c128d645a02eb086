import { describe, expect, test } from 'vitest';
import { deletionRow, type Row, startRow, completeRow } from '../../support/rows/part-rows.ts';
import { readFlatSum, readUsage, flatSumQueries } from '../../support/read-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

const rolledUp = { attributes_dump: '{"weave":{"source":"js-sdk"}}' };
const at = (second: number): string => `2026-01-31 12:00:0${second}.000000`;
const usageOf = (prompt: number) => ({
  m: { requests: 1, prompt_tokens: prompt },
  n: { requests: 1, completion_tokens: 1 },
});

let projects = 0;
/** Inserts rows into a new project. */
async function newProject(rows: (project: string) => readonly Row[]): Promise<string> {
  projects += 1;
  const project = `p/${projects}`;
  await opened.insert('call_parts', rows(project));
  return project;
}

/** root > a > b, one second apart. The usage of each call includes that of its descendants, as SDKs send it. */
function treeOf(project: string, more: Row = {}, trace = 'trace'): Row[] {
  const id = (name: string): string => (trace === 'trace' ? name : `${trace}-${name}`);
  const call = (name: string, parent: string, second: number, prompt: number): Row => {
    const links = { id: id(name), parent: parent && id(parent), trace };
    return completeRow(project, { ...links, startedAt: at(second), usage: usageOf(prompt) }, more);
  };
  return [call('root', '', 1, 111), call('a', 'root', 2, 110), call('b', 'a', 3, 100)];
}

/** Whether each of the flat sum queries reports that it is right; if so, its rows must equal those of the tree walk. */
async function areRight(project_id: string, call_ids: readonly string[]): Promise<boolean[]> {
  await readUsage(opened.clickhouse, project_id, call_ids, true);
  const request = { project_id, call_ids, include_costs: true, is_explained: false };
  const reports: boolean[] = [];
  for (const name of flatSumQueries) {
    reports.push((await readFlatSum(opened.clickhouse, name, request)) !== undefined);
  }
  return reports;
}

describe('a flat sum is right for the roots of whole traces', () => {
  // The ids `root`, `a` and `b` do not grow with time.
  const byAllOthers = flatSumQueries.map((name) => name !== 'usage_flat_sum_ordered');
  const byRolledUp = flatSumQueries.map((name) =>
    ['usage_flat_sum_rolled_up', 'usage_flat_sum_counted'].includes(name),
  );

  test('without rolled-up usage, by all but usage_flat_sum_ordered', async () => {
    const project = await newProject((name) => [...treeOf(name), ...treeOf(name, {}, 'second')]);
    expect(await areRight(project, ['root'])).toEqual(byAllOthers);
    expect(await areRight(project, ['second-root', 'root', 'unknown'])).toEqual(byAllOthers);
  });

  test('with rolled-up usage, by usage_flat_sum_rolled_up and usage_flat_sum_counted', async () => {
    const project = await newProject((name) => treeOf(name, rolledUp));
    expect(await areRight(project, ['root'])).toEqual(byRolledUp);
  });

  test('with a rolled-up child whose usage was not added to its parent, by usage_flat_sum_rolled_up and usage_flat_sum_counted', async () => {
    const child = { id: 'x', parent: 'b', startedAt: at(4), usage: usageOf(101) };
    const project = await newProject((name) => [
      ...treeOf(name, rolledUp),
      completeRow(name, child, rolledUp),
    ]);
    expect(await areRight(project, ['root'])).toEqual(byRolledUp);
  });

  test('with unfinished calls', async () => {
    const running = { id: 'running', parent: 'b', startedAt: at(4) };
    const project = await newProject((name) => [...treeOf(name), startRow(name, running)]);
    expect(await areRight(project, ['root'])).toEqual(byAllOthers);
  });

  test('with a call that starts in the microsecond of its parent and has a greater id', async () => {
    const child = { id: 'root-1', parent: 'root', startedAt: at(1) };
    const project = await newProject((name) => [...treeOf(name), startRow(name, child)]);
    expect(await areRight(project, ['root'])).toEqual(byAllOthers);
  });
});

test('with a call that starts in the microsecond of its parent and has a smaller id, only usage_flat_sum_repeated is right, if the key is greater', async () => {
  const project = await newProject((name) => [
    ...treeOf(name),
    startRow(name, { id: 'aa', parent: 'b', startedAt: at(3) }),
  ]);
  expect(await areRight(project, ['root'])).toEqual(
    flatSumQueries.map((name) => name === 'usage_flat_sum_repeated'),
  );
});

describe('all flat sum queries report that a tree walk is needed', () => {
  const cases: [string, (project: string) => readonly Row[], string[]][] = [
    ['for a call that is not a root', treeOf, ['a']],
    ['for a root and its descendant', treeOf, ['root', 'b']],
    [
      'for a trace with two roots',
      (name) => [...treeOf(name), completeRow(name, { id: 'other', startedAt: at(1) })],
      ['root'],
    ],
    [
      'for a trace with a deleted call',
      (name) => [...treeOf(name), deletionRow(name, { id: 'a' })],
      ['root'],
    ],
    [
      'for a trace with a missing parent',
      (name) => [...treeOf(name), startRow(name, { id: 'x', parent: 'lost', startedAt: at(4) })],
      ['root'],
    ],
    [
      'for a trace with a call that starts before its parent',
      (name) => [...treeOf(name), startRow(name, { id: 'x', parent: 'b', startedAt: at(2) })],
      ['root'],
    ],
    [
      'for a trace with a cycle',
      (name) => [
        ...treeOf(name),
        startRow(name, { id: 'x', parent: 'y', startedAt: at(4) }),
        startRow(name, { id: 'y', parent: 'x', startedAt: at(4) }),
      ],
      ['root'],
    ],
    [
      'for a trace with a call that is its own parent',
      (name) => [...treeOf(name), startRow(name, { id: 'x', parent: 'x', startedAt: at(4) })],
      ['root'],
    ],
  ];
  test.each(cases)('%s', async (_, rows, ids) => {
    expect(await areRight(await newProject(rows), ids)).toEqual(flatSumQueries.map(() => false));
  });
});
