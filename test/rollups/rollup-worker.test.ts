import { expect, test } from 'vitest';

import { clickhouseFixture } from '../support/fixtures.ts';
import { readMetrics, valueOf } from '../support/http/metrics.ts';
import { openService, type TestService } from '../support/http/service.ts';
import { promptTokens, promptUsage, toProject } from '../support/usage-client.ts';

const database = clickhouseFixture();

const settings = { ROLLUP_QUIET_MS: '100', ROLLUP_INTERVAL_MS: '50' };
const isRolledUp = { timeout: 60_000 };

async function start(more: Readonly<Record<string, string>> = {}): Promise<TestService> {
  const service = await openService({ ...database.environment, ...settings, ...more });
  await service.ready;
  return service;
}

async function countTraces(): Promise<number> {
  const [row] = await database.query<{ traces: number }>(
    'SELECT toUInt32(uniqExact(project_id, trace_id)) AS traces FROM trace_rollups',
  );
  return row?.traces ?? 0;
}

test('two services roll up what is stored, what was stored before they started, and batches of any size', async () => {
  const before = await start({ ROLLUPS: 'false' });
  const ids = Array.from({ length: 40 }, (_, index) => `call ${index}`);
  const send = async (service: TestService, some: readonly string[]): Promise<void> => {
    const calls = some.map((id) => ({ id, trace: `trace of ${id}`, usage: promptUsage(3) }));
    await toProject(service, 'team/rollups').sendCompleteCalls(...calls);
  };
  await send(before, ids.slice(0, 20));
  await before.close();
  expect(await countTraces()).toBe(0);

  // Three calls in each statement.
  const services = await Promise.all([1, 2].map(() => start({ ROLLUP_BATCH_CALLS: '3' })));
  await send(services[0]!, ids.slice(20, 30));
  await send(services[1]!, ids.slice(30));
  await expect.poll(countTraces, isRolledUp).toBe(ids.length);
  const metrics = await Promise.all(services.map(readMetrics));
  const failures = metrics.map((each) => valueOf(each, 'calls_usage_rollup_failures_total'));
  expect(failures).toEqual([0, 0]);
  const answer = await toProject(services[0]!, 'team/rollups').queryUsage(ids);
  expect(ids.map((id) => promptTokens(answer, id))).toEqual(ids.map(() => 3));
  await Promise.all(services.map((service) => service.close()));
}, 120_000);
