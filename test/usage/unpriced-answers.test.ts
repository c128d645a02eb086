import { expect, test } from 'vitest';
import { MemoryBudget } from '../../src/memory-budget.ts';
import { Metrics } from '../../src/metrics/metrics.ts';
import { readPriceBook } from '../../src/prices/catalog/price-book.ts';
import { PriceSnapshots } from '../../src/prices/snapshot/price-snapshots.ts';
import { CallsUsage } from '../../src/usage/calls-usage.ts';
import { completeRow } from '../support/rows/part-rows.ts';
import { clickhouseFixture } from '../support/fixtures.ts';

const database = clickhouseFixture();

test('answers with costs are counted by whether all their models have a price', async () => {
  const { registry, countPriced } = new Metrics();
  const { clickhouse } = database;
  const callsUsage = new CallsUsage({
    clickhouse,
    usageLimits: {
      ...{ concurrency: 1, maxQueued: 1, maxWaitMs: 30_000, maxBatchIds: 1 },
      ...{ maxAnswerSums: Infinity, maxAnswerBytes: Infinity, maxRowBytes: Infinity },
    },
    prices: new PriceSnapshots({ clickhouse, readBook: readPriceBook, maxProjectRows: 1 }),
    rulesVersion: null,
    countPriced,
  });
  await database.insert('call_parts', [
    completeRow('p', { id: 'priced', trace: '1', usage: { 'gpt-4o': { prompt_tokens: 1 } } }),
    completeRow('p', {
      id: 'unpriced',
      trace: '2',
      usage: { 'gpt-4o': { prompt_tokens: 1 }, house: { prompt_tokens: 1 } },
    }),
    completeRow('p', { id: 'nothing', trace: '3' }),
  ]);
  const budget = new MemoryBudget({ totalBytes: Infinity, perKeyBytes: Infinity });
  const answer = (call_ids: string[], include_costs = true) =>
    callsUsage.answer(
      { project_id: 'p', call_ids, include_costs, limit: 10, is_explained: false },
      {
        reservation: budget.open('key', 'response'),
        reportUnknown: () => undefined,
        signal: new AbortController().signal,
      },
    );
  await answer(['priced']);
  await answer(['nothing', 'unknown']);
  await answer(['priced', 'unpriced']);
  await answer(['unpriced'], false);
  const { values } = await registry.getSingleMetric('calls_usage_answers_with_costs_total')!.get();
  expect(Object.fromEntries(values.map(({ labels, value }) => [labels['priced'], value]))).toEqual({
    all: 2,
    'not all': 1,
  });
});
