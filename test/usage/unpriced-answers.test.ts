import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createPricedCounter } from '../../src/http/metrics.ts';
import { CallsUsage } from '../../src/usage/calls-usage.ts';
import { completeRow } from '../support/part-rows.ts';
import { openTestClickHouse } from '../support/clickhouse.ts';

test('answers are counted by whether every model in them has a price', async () => {
  const opened = await openTestClickHouse();
  const registry = new Registry();
  const callsUsage = new CallsUsage({
    clickhouse: opened.clickhouse,
    usageLimits: { concurrency: 1, maxQueued: 1, maxBatchIds: 1 },
    resolveAliases: () => Promise.resolve(new Set()),
    countPriced: createPricedCounter(registry),
  });
  await opened.insert('call_parts', [
    completeRow('p', { id: 'priced', trace: '1', usage: { 'gpt-4o': { requests: 1 } } }),
    completeRow('p', {
      id: 'not',
      trace: '2',
      usage: { 'gpt-4o': { requests: 1 }, house: { requests: 1 } },
    }),
    completeRow('p', { id: 'nothing', trace: '3' }),
  ]);
  const ask = (call_ids: string[], include_costs = true) =>
    callsUsage.answer(
      { project_id: 'p', call_ids, include_costs, limit: 10 },
      new AbortController().signal,
    );
  await ask(['priced']);
  await ask(['nothing', 'unknown']);
  await ask(['priced', 'not']);
  await ask(['not'], false);
  const { values } = await registry.getSingleMetric('calls_usage_answers_with_costs_total')!.get();
  expect(Object.fromEntries(values.map(({ labels, value }) => [labels['priced'], value]))).toEqual({
    all: 2,
    'not all': 1,
  });
  await opened.close();
});
