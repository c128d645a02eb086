import { expect, test } from 'vitest';

import { useDamagedService } from '../support/clickhouse/damaged-service.ts';
import { readMetrics, valueOf } from '../support/http/metrics.ts';

test('rollups that cannot be read, or are lost, are answered live and made again', async () => {
  const damaged = await useDamagedService();
  const first = await damaged.start();
  const countRolledUp = async ({ service }: typeof first): Promise<number> =>
    valueOf(await readMetrics(service), 'calls_usage_rolled_up_traces_total') ?? 0;
  const isRolledUp = { timeout: 60_000 };
  await expect.poll(() => countRolledUp(first), isRolledUp).toBe(first.callIds.length);
  await first.service.close();
  for (const part of await damaged.listParts('trace_rollups')) await part.flipByte();

  const second = await damaged.start();
  expect(await second.sumPromptTokens()).toBe(damaged.promptTokens);
  const errors = { query: 'usage_rollups', error: 'damaged' };
  const metrics = await readMetrics(second.service);
  expect(valueOf(metrics, 'calls_usage_clickhouse_errors_total', errors)).toBe(1);
  await second.service.close();
  for (const part of await damaged.listParts('trace_rollups')) await part.truncate();
  await damaged.allowDamagedParts(10);

  const third = await damaged.start();
  expect(await third.sumPromptTokens()).toBe(damaged.promptTokens);
  await expect.poll(() => countRolledUp(third), isRolledUp).toBe(third.callIds.length);
  expect(await third.sumPromptTokens()).toBe(damaged.promptTokens);
}, 180_000);
