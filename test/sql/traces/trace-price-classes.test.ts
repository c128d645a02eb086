import { expect, test } from 'vitest';

import { noBoundaries } from '../../../src/prices/snapshot/price-level.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';
import { rollupParameters } from '../../support/rows/trace-parameters.ts';

const database = clickhouseFixture();

test('returns each class of the traces that started in the window once', async () => {
  const usage = { m: { prompt_tokens: 10 }, n: { prompt_tokens: 300, service_tier: 'batch' } };
  const outside = { usage: { x: { prompt_tokens: 1 } }, startedAt: '2025-12-31 00:00:00.000000' };
  await database.insert('call_parts', [
    ...['t1', 't2'].map((trace) => completeRow('p', { id: trace, trace, usage })),
    completeRow('p', { id: 'before', trace: 't3', ...outside }),
    completeRow('q', { id: 'other', usage: { y: { prompt_tokens: 1 } } }),
  ]);
  expect(await rollUpProject(database, 'p')).toBe(0);
  const parameters = { ...rollupParameters('p'), ...noBoundaries, prompt_sizes: [0n, 200n] };
  const rest = { period_us: String(-(2n ** 63n)), minute_of_week: 0 };
  expect(await database.clickhouse.read('trace_price_classes', parameters)).toEqual([
    { model: 'm', service_tier: '', prompt_size: '0', ...rest },
    { model: 'n', service_tier: 'batch', prompt_size: '200', ...rest },
  ]);
});
