import { describe, expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, type Row, startRow } from '../../support/rows/part-rows.ts';
import { readFlatSum, readUsage } from '../../support/read-usage.ts';

const opened = clickhouseFixture();

const usage = { m: { prompt_tokens: 1 }, n: { completion_tokens: 1 } };

/** Calls with an id and a parent each; ids grow with time. All start at the same time, which does not matter. */
function treeOf(project: string): Row[] {
  const calls = [
    { id: '1' },
    { id: '2', parent: '1', usage },
    { id: '3', parent: '1', usage },
    { id: '4', parent: '3' },
  ];
  return calls.map((call) => completeRow(project, call));
}

/** Whether the query reports that it is right; if so, its rows must equal those of the tree walk. */
async function isRight(project_id: string, more: readonly Row[]): Promise<boolean> {
  await opened.insert('call_parts', [...treeOf(project_id), ...more]);
  const call_ids = ['1'];
  await readUsage(opened.clickhouse, project_id, call_ids, true);
  const query = { project_id, call_ids, include_costs: true, is_explained: false };
  return (await readFlatSum(opened.clickhouse, 'usage_flat_sum_ordered', query)) !== undefined;
}

describe('usage_flat_sum_ordered', () => {
  test('is right for a tree whose ids grow with time', async () => {
    expect(await isRight('p/tree', [])).toBe(true);
  });

  test.each<[string, (project: string) => Row]>([
    ['a missing parent', (project) => startRow(project, { id: '5', parent: '41' })],
    ['a second root', (project) => startRow(project, { id: '5' })],
    ['a deleted call', (project) => deletionRow(project, { id: '4' })],
    ['a parent with a greater id', (project) => startRow(project, { id: '01', parent: '1' })],
    ['a call that is its own parent', (project) => startRow(project, { id: '5', parent: '5' })],
  ])('reports that it is not for a trace with %s', async (what, toRow) => {
    const project = `p/${what}`;
    expect(await isRight(project, [toRow(project)])).toBe(false);
  });
});
