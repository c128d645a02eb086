import { expect, test } from 'vitest';
import { completeRow } from '../../support/part-rows.ts';
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
