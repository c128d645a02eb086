import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { deletionRow, type Row, startRow, completeRow } from '../../support/part-rows.ts';
import { readFlatSum, readUsage, flatSumQueries } from '../../support/read-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

const rolledUp = { attributes_dump: '{"weave":{"source":"js-sdk"}}' };
const at = (second: number): string => `2026-01-31 12:00:0${second}.000000`;
const use = (prompt: number) => ({ m: { requests: 1, prompt_tokens: prompt }, n: { requests: 1 } });

let made = 0;
/** Inserts rows into a project of its own. */
async function newProject(rows: (project: string) => readonly Row[]): Promise<string> {
  made += 1;
  const project = `p/${made}`;
  await opened.insert('call_parts', rows(project));
  return project;
}

/** root > a > b, second by second; each has the usage of all below it added, as SDKs do. */
function treeOf(project: string, more: Row = {}, trace = 'trace'): Row[] {
  const id = (name: string): string => (trace === 'trace' ? name : `${trace}-${name}`);
  const call = (name: string, parent: string, second: number, prompt: number): Row => {
    const links = { id: id(name), parent: parent && id(parent), trace };
    return completeRow(project, { ...links, startedAt: at(second), usage: use(prompt) }, more);
  };
  return [call('root', '', 1, 111), call('a', 'root', 2, 110), call('b', 'a', 3, 100)];
}

/** Whether each of the two says that it answers the question; where it does it must be right. */
async function areEnough(project_id: string, call_ids: readonly string[]): Promise<boolean[]> {
  await readUsage(opened.clickhouse, project_id, call_ids, true);
  const question = { project_id, call_ids, include_costs: true };
  const answers: boolean[] = [];
  for (const name of flatSumQueries) {
    answers.push((await readFlatSum(opened.clickhouse, name, question)) !== undefined);
  }
  return answers;
}

describe('whole traces are answered without a tree', () => {
  test('where no usage is rolled up, by both', async () => {
    const project = await newProject((name) => [...treeOf(name), ...treeOf(name, {}, 'second')]);
    expect(await areEnough(project, ['root'])).toEqual([true, true]);
    expect(await areEnough(project, ['second-root', 'root', 'nobody'])).toEqual([true, true]);
  });

  test('where it is, by the one that takes it apart', async () => {
    const project = await newProject((name) => treeOf(name, rolledUp));
    expect(await areEnough(project, ['root'])).toEqual([false, true]);
  });

  test('while calls of them still run', async () => {
    const running = { id: 'running', parent: 'b', startedAt: at(4) };
    const project = await newProject((name) => [...treeOf(name), startRow(name, running)]);
    expect(await areEnough(project, ['root'])).toEqual([true, true]);
  });

  test('where a call starts with its parent, if ids grow with time', async () => {
    const grows = { id: 'root-1', parent: 'root', startedAt: at(1) };
    const project = await newProject((name) => [...treeOf(name), startRow(name, grows)]);
    expect(await areEnough(project, ['root'])).toEqual([true, true]);
  });
});

describe('a tree is needed', () => {
  const cases: [string, (project: string) => readonly Row[], string[]][] = [
    ['for a call that is no root', treeOf, ['a']],
    ['for a root and a call below it', treeOf, ['root', 'b']],
    [
      'where a trace has two roots',
      (name) => [...treeOf(name), completeRow(name, { id: 'other', startedAt: at(1) })],
      ['root'],
    ],
    [
      'where a call is deleted',
      (name) => [...treeOf(name), deletionRow(name, { id: 'a' })],
      ['root'],
    ],
    [
      'where a parent is missing',
      (name) => [...treeOf(name), startRow(name, { id: 'x', parent: 'lost', startedAt: at(4) })],
      ['root'],
    ],
    [
      'where a call is earlier than its parent',
      (name) => [...treeOf(name), startRow(name, { id: 'x', parent: 'b', startedAt: at(2) })],
      ['root'],
    ],
    [
      'where a call starts with its parent and its id is smaller',
      (name) => [...treeOf(name), startRow(name, { id: 'aa', parent: 'b', startedAt: at(3) })],
      ['root'],
    ],
    [
      'where calls are each other’s parents in a circle',
      (name) => [
        ...treeOf(name),
        startRow(name, { id: 'x', parent: 'y', startedAt: at(4) }),
        startRow(name, { id: 'y', parent: 'x', startedAt: at(4) }),
      ],
      ['root'],
    ],
    [
      'where a call is its own parent',
      (name) => [...treeOf(name), startRow(name, { id: 'x', parent: 'x', startedAt: at(4) })],
      ['root'],
    ],
  ];
  test.each(cases)('%s', async (_, rows, ids) => {
    expect(await areEnough(await newProject(rows), ids)).toEqual([false, false]);
  });

  test('where usage of a child was never added to its parent', async () => {
    const child = { id: 'x', parent: 'b', startedAt: at(4), usage: use(101) };
    const project = await newProject((name) => [
      ...treeOf(name, rolledUp),
      completeRow(name, child, rolledUp),
    ]);
    expect(await areEnough(project, ['root'])).toEqual([false, false]);
  });
});

test('what the statements have in common stands in all of them, word for word', () => {
  const [general, plain, apart] = ['usage_tree_walk', ...flatSumQueries].map((name) =>
    readFileSync(new URL(`../../../sql/queries/usage/${name}.sql`, import.meta.url), 'utf8'),
  ) as [string, string, string];
  const price = ['    model,\n    calls,\n', 'SETTINGS'] as const;
  expect(cut(plain, ...price)).toBe(cut(general, ...price));
  expect(cut(apart, ...price)).toBe(cut(general, ...price));
});

function cut(text: string, from: string, to: string): string {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start);
  expect(start, from).toBeGreaterThan(-1);
  expect(end, to).toBeGreaterThan(start);
  return text.slice(start, end);
}
