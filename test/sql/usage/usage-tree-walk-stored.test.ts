import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, type Row } from '../../support/rows/part-rows.ts';
import { readTreeWalk } from '../../support/read-usage.ts';
import { spanRow } from '../../support/rows/span-rows.ts';
import { promptUsage } from '../../support/usage-client.ts';

// What its rows contain, usage-tree-walk.test.ts compares with usage_tree_walk.sql.
const opened = clickhouseFixture();

async function read(project_id: string, rows: readonly Row[], call_ids: readonly string[]) {
  await opened.insert('call_parts', rows);
  const query = { project_id, call_ids, include_costs: false, is_explained: false };
  return await readTreeWalk(opened.clickhouse, 'usage_tree_walk_stored', query);
}

/** The rows of a requested call `inner` with a child that is as given. */
async function readAbove(project: string, toChild: (project: string) => Row) {
  const inner = completeRow(project, { id: 'inner', parent: 'root', usage: promptUsage(10) });
  return await read(project, [inner, toChild(project)], ['inner']);
}

const child = { id: 'child', parent: 'inner', usage: promptUsage(3) };

test('usage_tree_walk_stored sums the usage of calls without the deleted ones and what hangs below them', async () => {
  const project = 'p/sums';
  const rows = [
    completeRow(project, { id: 'inner', parent: 'root', usage: promptUsage(10) }),
    completeRow(project, child),
    completeRow(project, { id: 'deleted', parent: 'inner', usage: promptUsage(100) }),
    completeRow(project, { id: 'below', parent: 'deleted', usage: promptUsage(1_000) }),
    deletionRow(project, { id: 'deleted' }),
  ];
  const sums = (await read(project, rows, ['inner'])) ?? [];
  expect(sums.map(({ prompt_tokens, calls }) => [prompt_tokens, calls])).toEqual([['13', '2']]);
});

test('usage_tree_walk_stored needs another statement for usage that an SDK rolled up', async () => {
  const rolledUp = (project: string) => completeRow(project, child, { usage_mode: 1 });
  expect(await readAbove('p/mode', rolledUp)).toBeUndefined();
});

test('usage_tree_walk_stored needs another statement for spans of OpenTelemetry', async () => {
  const span = (project: string) =>
    spanRow(project, { ...{ id: 'child', parent: 'inner' }, time: [0, 10], tokens: 3 });
  expect(await readAbove('p/span', span)).toBeUndefined();
});

test('usage_tree_walk_stored needs another statement for usage that sums say too little about', async () => {
  const usage = { m: { prompt_tokens: 3, total_tokens: 8, thoughts_tokens: 5 } };
  const thoughts = (project: string) => completeRow(project, { ...child, usage });
  expect(await readAbove('p/thoughts', thoughts)).toBeUndefined();
});
