import { expect, test } from 'vitest';
import { completeRow } from '../../support/rows/part-rows.ts';
import { readFlatSum } from '../../support/read-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

// usage-flat-sum.test.ts tests for which traces the query is right.
test('usage_flat_sum_rolled_up prices a parent’s own usage at the parent’s time, without cached tokens of its children', async () => {
  const prices = ['2020-01-01', '2026-02-01'].map((day, index) => ({
    id: `price-${index}`,
    pricing_level: 'project',
    pricing_level_id: 'p/own',
    provider_id: 'default',
    llm_id: 'm',
    effective_date: `${day} 00:00:00`,
    prompt_token_cost: ['1', '10'][index],
    completion_token_cost: '0',
    cache_read_input_token_cost: ['0.5', '5'][index],
    created_by: 'test',
  }));
  await opened.insert('llm_token_prices', prices);
  const rolledUp = { attributes_dump: '{"weave":{"usage_rollup":"rolled_up"}}' };
  const usage = (prompt: number, cached: number) => ({
    m: { prompt_tokens: prompt, cache_read_input_tokens: cached },
  });
  await opened.insert('call_parts', [
    completeRow(
      'p/own',
      { id: 'root', startedAt: '2026-01-01 00:00:00', usage: usage(130, 20) },
      rolledUp,
    ),
    completeRow(
      'p/own',
      { id: 'leaf', parent: 'root', startedAt: '2026-02-02 00:00:00', usage: usage(100, 15) },
      rolledUp,
    ),
  ]);
  const request = {
    project_id: 'p/own',
    call_ids: ['root'],
    include_costs: true,
    is_explained: false,
  };
  const rows = (await readFlatSum(opened.clickhouse, 'usage_flat_sum_rolled_up', request)) ?? [];
  // The root's own 30 prompt tokens, 5 of them cached, at January's prices: 25 × 1 + 5 × 0.5.
  // The leaf's 100, 15 of them cached, at February's: 85 × 10 + 15 × 5.
  expect(rows.map((row) => Number(row.prompt_cost)).sort((a, b) => a - b)).toEqual([27.5, 925]);
  expect(rows.map((row) => Number(row.prompt_tokens)).sort((a, b) => a - b)).toEqual([30, 100]);
});

/** Times of the same day, to the second. */
const at = (second: number): string => `2026-01-01 00:00:${String(second).padStart(2, '0')}`;

interface Family {
  readonly root: object;
  readonly leaves: readonly (readonly [endsAt: number, usage: object])[];
  /** Requests, prompt and completion tokens of the whole trace. */
  readonly sums: readonly [number, number, number];
}

/** The root ends at second 10, and its usage is as its SDK rolled it up. */
const families: readonly (readonly [string, Family])[] = [
  [
    'subtracts a child that ended before it',
    {
      root: { requests: 2, prompt_tokens: 130 },
      leaves: [[9, { requests: 1, prompt_tokens: 100 }]],
      sums: [2, 130, 0],
    },
  ],
  [
    'keeps what a child used that ended after it',
    {
      root: { requests: 1, prompt_tokens: 130 },
      leaves: [[11, { requests: 1, prompt_tokens: 100 }]],
      sums: [2, 230, 0],
    },
  ],
  [
    'keeps its own usage where a child used more, the completion included',
    {
      root: { requests: 1, prompt_tokens: 100, completion_tokens: 20 },
      leaves: [[9, { requests: 1, prompt_tokens: 90, completion_tokens: 40 }]],
      sums: [2, 190, 60],
    },
  ],
  [
    'subtracts a child with a larger prompt and a smaller total',
    {
      root: { requests: 2, prompt_tokens: 10, completion_tokens: 100 },
      leaves: [[9, { requests: 1, prompt_tokens: 20, completion_tokens: 50 }]],
      sums: [2, 20, 100],
    },
  ],
  [
    'subtracts the request of a stream that was aborted before its tokens were known',
    {
      root: { requests: 1, prompt_tokens: 0 },
      leaves: [[9, { requests: 1, prompt_tokens: 50 }]],
      sums: [1, 50, 0],
    },
  ],
  [
    'has no own usage where its children used more together',
    {
      root: { requests: 2, prompt_tokens: 100, completion_tokens: 50 },
      leaves: [
        [8, { requests: 1, prompt_tokens: 60 }],
        [9, { requests: 1, prompt_tokens: 60, completion_tokens: 20 }],
      ],
      sums: [2, 120, 50],
    },
  ],
];

test.each(families)('usage_flat_sum_rolled_up: a parent %s', async (name, family) => {
  const { root, leaves, sums } = family;
  const rolledUp = { attributes_dump: '{"weave":{"usage_rollup":"rolled_up"}}' };
  await opened.insert('call_parts', [
    completeRow(
      name,
      { id: 'a', startedAt: at(0), usage: { m: root } },
      { ...rolledUp, ended_at: at(10) },
    ),
    ...leaves.map(([second, usage], index) =>
      completeRow(
        name,
        { id: `b${index}`, parent: 'a', startedAt: at(index + 1), usage: { m: usage } },
        { ...rolledUp, ended_at: at(second) },
      ),
    ),
  ]);
  const request = { project_id: name, call_ids: ['a'], include_costs: false, is_explained: false };
  for (const statement of ['usage_flat_sum_rolled_up', 'usage_flat_sum_counted'] as const) {
    const rows = (await readFlatSum(opened.clickhouse, statement, request)) ?? [];
    const sum = (column: 'requests' | 'prompt_tokens' | 'completion_tokens'): number =>
      rows.reduce((total, row) => total + Number(row[column]), 0);
    const columns = ['requests', 'prompt_tokens', 'completion_tokens'] as const;
    expect(columns.map(sum), statement).toEqual(sums);
  }
});
