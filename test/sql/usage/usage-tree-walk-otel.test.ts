import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, type Row } from '../../support/rows/part-rows.ts';
import { readTreeWalk } from '../../support/read-usage.ts';
import { type SpanShape, spanRow } from '../../support/rows/span-rows.ts';

const opened = clickhouseFixture();

async function read(project_id: string, rows: readonly Row[], call_ids: readonly string[]) {
  await opened.insert('call_parts', rows);
  const query = { project_id, call_ids, include_costs: false, is_explained: false };
  return await readTreeWalk(opened.clickhouse, 'usage_tree_walk_otel', query);
}

const root: SpanShape = { id: 'root', kind: 'agent', time: [0, 90], tokens: 900 };
const wrapper: SpanShape = {
  ...{ id: 'wrapper', parent: 'root', time: [10, 20], scope: 1, tokens: 42, response: 'r' },
};
const sdk: SpanShape = { ...wrapper, id: 'sdk', time: [11, 19], scope: 2, tokens: 40 };

test('usage_tree_walk_otel returns spans of a response in rows of their own where requested calls share it', async () => {
  const toRows = (project: string) => [root, wrapper, sdk].map((span) => spanRow(project, span));
  const alone = (await read('p/alone', toRows('p/alone'), ['root'])) ?? [];
  expect(alone.filter(({ condition }) => condition !== null)).toEqual([]);
  expect(alone.reduce((sum, { prompt_tokens }) => sum + Number(prompt_tokens), 0)).toBe(40);

  const nested = (await read('p/nested', toRows('p/nested'), ['root', 'wrapper'])) ?? [];
  const shared = nested.flatMap(({ condition, call_id, prompt_tokens }) =>
    condition === null ? [] : [{ call_id, prompt_tokens, place: condition.place }],
  );
  expect(shared.sort((a, b) => a.place - b.place)).toEqual([
    { call_id: 'root', prompt_tokens: '40', place: 1 },
    { call_id: 'wrapper', prompt_tokens: '42', place: 2 },
  ]);
});

test('usage_tree_walk_otel returns a requested outer twin in a row that counts for itself only', async () => {
  const spans = [root, wrapper, sdk].map((span) => ({ ...span, response: '', tokens: 40 }));
  const rows = spans.map((span) => spanRow('p/twins', span));
  const nested = (await read('p/twins', rows, ['root', 'wrapper', 'sdk'])) ?? [];
  expect(nested.filter(({ condition }) => condition !== null)).toMatchObject([
    { call_id: 'wrapper', prompt_tokens: '40', condition: { response: '0', isOwnOnly: true } },
  ]);
});

test('usage_tree_walk_otel needs another statement for usage that an SDK rolled up, or that sums say too little about', async () => {
  const usage = { m: { requests: 1, input_tokens: 5 } };
  const sdkCall = completeRow('p/mode', { id: 'op', parent: 'root', usage }, { usage_mode: 1 });
  expect(await read('p/mode', [spanRow('p/mode', root), sdkCall], ['root'])).toBeUndefined();
  const summary_dump = '{"usage":{"m":{"input_tokens":5,"thoughts_tokens":3}}}';
  const thoughts = spanRow('p/thoughts', root, { summary_dump });
  expect(await read('p/thoughts', [thoughts], ['root'])).toBeUndefined();
});
