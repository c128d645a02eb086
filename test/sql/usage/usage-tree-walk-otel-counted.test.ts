import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, type Row } from '../../support/rows/part-rows.ts';
import { readTreeWalk } from '../../support/read-usage.ts';
import { spanRow } from '../../support/rows/span-rows.ts';

const opened = clickhouseFixture();

async function read(project_id: string, rows: readonly Row[], is_explained: boolean) {
  await opened.insert('call_parts', rows);
  const query = { project_id, call_ids: ['root'], include_costs: false, is_explained };
  return (await readTreeWalk(opened.clickhouse, 'usage_tree_walk_otel_counted', query)) ?? [];
}

test('usage_tree_walk_otel_counted subtracts rolled-up usage, and drops a span above it', async () => {
  const project = 'p/mixed';
  const rolledUp = { usage_mode: 1 };
  const rows = await read(
    project,
    [
      spanRow(project, { id: 'root', kind: 'agent', tokens: 900 }),
      completeRow(
        project,
        { id: 'op', parent: 'root', usage: { m: { prompt_tokens: 50 } } },
        rolledUp,
      ),
      completeRow(
        project,
        { id: 'call', parent: 'op', usage: { m: { prompt_tokens: 30 } } },
        rolledUp,
      ),
    ],
    false,
  );
  expect(rows.reduce((sum, { prompt_tokens }) => sum + Number(prompt_tokens), 0)).toBe(50);
});

test('usage_tree_walk_otel_counted says what was dropped if it is explained', async () => {
  const project = 'p/explained';
  const rows = await read(
    project,
    [
      spanRow(project, { id: 'root', kind: 'agent', tokens: 900 }),
      spanRow(project, { id: 'chat', parent: 'root', tokens: 30 }),
    ],
    true,
  );
  const sums = rows.map(({ prompt_tokens, doubleCounted }) => [prompt_tokens, ...doubleCounted]);
  expect(sums).toEqual([['30', 1n, 900n, 450n, 1350n]]);
});
