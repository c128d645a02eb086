import { expect, onTestFinished, test } from 'vitest';

import type { ClickHouse } from '../../../src/clickhouse/clickhouse.ts';
import { ClickHouseUnavailableError } from '../../../src/clickhouse/errors.ts';
import { readRows, toQueries } from '../../support/clickhouse/clickhouse.ts';
import {
  isRunning,
  makeDirectory,
  openEmbeddedClickHouse,
  readProcessId,
  type EmbeddedChoices,
} from '../../support/clickhouse/embedded-clickhouse.ts';
import { openService } from '../../support/http/service.ts';
import { silentLog } from '../../support/silent-log.ts';

const queries = toQueries({
  one: 'SELECT 1 AS one',
  sleeping: 'SELECT sleepEachRow(0.1) AS slept FROM system.numbers SETTINGS max_block_size = 1',
  running: `SELECT toUInt32(count()) AS count FROM system.processes
    WHERE Settings['log_comment'] = {name: String}`,
});

/** A ClickHouse of the test's own, whose server the test stops and continues. */
async function useClickHouse(choices: EmbeddedChoices) {
  const { path, remove } = await makeDirectory();
  const { clickhouse } = await openEmbeddedClickHouse(path, { queries, ...choices });
  const processId = await readProcessId(path);
  onTestFinished(async () => {
    if (isRunning(processId)) process.kill(processId, 'SIGCONT');
    await clickhouse.close();
    await remove();
  });
  return { clickhouse, path, processId };
}

async function measureMs(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}

/** Threads of a process that gets SIGSTOP may answer for another moment. */
async function untilUnavailable(clickhouse: ClickHouse): Promise<void> {
  const ping = (): Promise<unknown> => clickhouse.ping().catch((error: unknown) => error);
  await expect.poll(ping).toBeInstanceOf(ClickHouseUnavailableError);
}

test('while the embedded server hangs, every probe is answered within the deadline of one ping', async () => {
  const { path, remove } = await makeDirectory();
  const pingTimeoutMs = 3_000;
  const service = await openService({
    ...{ CLICKHOUSE_URL: '', DATA_DIR: path },
    CLICKHOUSE_PING_TIMEOUT_MS: String(pingTimeoutMs),
  });
  onTestFinished(async () => {
    await service.close();
    await remove();
  });
  await service.ready;
  const processId = await readProcessId(path);
  process.kill(processId, 'SIGSTOP');
  const probes = Array.from({ length: 60 }, async (_, index) => {
    const path = index % 2 === 0 ? '/health' : '/readyz';
    let status = 0;
    const ms = await measureMs(async () => ({ status } = await service.send(path)));
    return { ms, status };
  });
  const livezMs = await measureMs(() => service.send('/livez'));
  const answers = await Promise.all(probes);
  process.kill(processId, 'SIGCONT');
  const recoveredMs = await measureMs(async () => {
    await expect.poll(async () => (await service.send('/readyz')).status).toBe(200);
  });

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(pingTimeoutMs + 1_000);
  expect(livezMs).toBeLessThan(pingTimeoutMs / 2);
  expect(recoveredMs).toBeLessThan(2_000);
});

test('an embedded server that hangs is killed after EMBEDDED_HANG_TIMEOUT_MS and started again', async () => {
  const errors: string[] = [];
  const { clickhouse, path, processId } = await useClickHouse({
    environment: { EMBEDDED_HANG_TIMEOUT_MS: '2000', CLICKHOUSE_PING_TIMEOUT_MS: '500' },
    log: { ...silentLog, error: (_, message) => errors.push(message) },
  });
  process.kill(processId, 'SIGSTOP');
  await untilUnavailable(clickhouse);
  await expect.poll(() => readRows(clickhouse, 'one').catch(String)).toEqual([{ one: 1 }]);

  expect(isRunning(processId)).toBe(false);
  expect(await readProcessId(path)).not.toBe(processId);
  expect(errors).toContain('ClickHouse hangs and is restarted');
  expect(clickhouse.restarts).toBe(1);
});

test('an embedded server that is stopped for less than EMBEDDED_HANG_TIMEOUT_MS is not restarted', async () => {
  const { clickhouse, path, processId } = await useClickHouse({
    environment: { EMBEDDED_HANG_TIMEOUT_MS: '6000', CLICKHOUSE_PING_TIMEOUT_MS: '500' },
  });
  for (let stop = 0; stop < 3; stop += 1) {
    process.kill(processId, 'SIGSTOP');
    await untilUnavailable(clickhouse);
    process.kill(processId, 'SIGCONT');
    await expect.poll(() => clickhouse.ping().catch(String)).toBeUndefined();
  }
  expect(await readProcessId(path)).toBe(processId);
});

test('a query is cancelled at once while pings wait', async () => {
  const { clickhouse, processId } = await useClickHouse({});
  const controller = new AbortController();
  const { signal } = controller;
  const sleeping = readRows(clickhouse, 'sleeping', {}, { signal }).catch(String);
  const running = () => readRows(clickhouse, 'running', { name: 'sleeping' });
  await expect.poll(running).toEqual([{ count: 1 }]);
  process.kill(processId, 'SIGSTOP');
  const pings = Array.from({ length: 50 }, () => clickhouse.ping().catch(String));
  controller.abort();
  await sleeping;
  process.kill(processId, 'SIGCONT');
  await expect.poll(running).toEqual([{ count: 0 }]);
  await Promise.all(pings);
});
