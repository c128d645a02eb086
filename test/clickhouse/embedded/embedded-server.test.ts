import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';

import { describe, expect, inject, test, vi } from 'vitest';

import { checkPlatform } from '../../../src/clickhouse/embedded/platform.ts';
import type { ClickHouse } from '../../../src/clickhouse/clickhouse.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseStartError,
} from '../../../src/clickhouse/errors.ts';
import {
  openServerClient,
  queryRows,
  readRows,
  toMigrations,
  toQueries,
} from '../../support/clickhouse/clickhouse.ts';
import { addQueryLog } from '../../support/clickhouse/embedded-overrides.ts';
import { fixture } from '../../support/fixtures.ts';
import { testKey } from '../../support/http/service.ts';
import { nodeArgumentsOf } from '../../support/package/npm-command.ts';
import { silentLog } from '../../support/silent-log.ts';
import {
  isRunning,
  makeDirectory,
  openEmbeddedClickHouse,
  readProcessId,
  startEmbeddedClickHouse,
} from '../../support/clickhouse/embedded-clickhouse.ts';

const choices = {
  queries: toQueries({
    one: 'SELECT 1 AS one',
    sleeping: 'SELECT sleepEachRow(0.1) AS slept FROM system.numbers SETTINGS max_block_size = 1',
    running: `SELECT toUInt32(count()) AS count FROM system.processes
      WHERE Settings['log_comment'] = {name: String}`,
    rows: 'SELECT batch, toUInt32(count()) AS rows FROM batches FINAL GROUP BY batch ORDER BY batch',
    duplicates: 'SELECT toUInt32(count() - uniqExact(batch, id)) AS duplicates FROM batches FINAL',
  }),
  migrations: toMigrations({
    // An insert of 300,000 rows takes at least a second and a half, so that it can be killed.
    '0001_batches': `CREATE TABLE IF NOT EXISTS batches (
        batch UInt32, id UInt32, text String, pause UInt8 MATERIALIZED sleepEachRow(0.000005))
      ENGINE = ReplacingMergeTree ORDER BY (batch, id);`,
  }),
};

const own = fixture(async () => {
  const directory = await makeDirectory();
  const opened = await openEmbeddedClickHouse(directory.path, choices);
  const close = async (): Promise<void> => {
    await opened.clickhouse.close();
    await directory.remove();
  };
  return { ...opened, dataDir: directory.path, close };
});

async function untilRunning(name: string): Promise<void> {
  const running = (): Promise<object[]> => readRows(own.clickhouse, 'running', { name });
  await expect.poll(running).toEqual([{ count: 1 }]);
}

async function untilAvailable(clickhouse: ClickHouse): Promise<void> {
  await expect.poll(() => readRows(clickhouse, 'one')).toEqual([{ one: 1 }]);
}

describe('an embedded server that is killed', () => {
  test('during a request fails it and the next ones, and is restarted', async () => {
    const before = await own.processId();
    const reading = expect(readRows(own.clickhouse, 'sleeping')).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    await untilRunning('sleeping');
    await own.kill();
    await reading;
    await expect(own.clickhouse.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await expect(readRows(own.clickhouse, 'one')).rejects.toThrow(ClickHouseUnavailableError);
    await expect(own.clickhouse.insert('batches', [{ batch: 0 }])).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    await untilAvailable(own.clickhouse);
    await own.clickhouse.ping();
    expect(await own.processId()).not.toBe(before);
  });

  test('during an insert fails it, and the same rows can be inserted again', async () => {
    const rows = Array.from({ length: 300_000 }, (_, id) => ({ batch: 1_000, id, text: 'x' }));
    const inserting = own.clickhouse.insert('batches', rows);
    const rejected = expect(inserting).rejects.toThrow(ClickHouseUnavailableError);
    await untilRunning('insert_batches');
    await own.kill();
    await rejected;
    await untilAvailable(own.clickhouse);
    await own.clickhouse.insert('batches', rows);
    expect(await readRows(own.clickhouse, 'rows')).toEqual([{ batch: 1_000, rows: 300_000 }]);
  });

  test('during a hundred inserts loses no acknowledged row and stores none twice', async () => {
    const retried = new Set<number>();
    let acknowledged = 0;
    const insert = async (batch: number): Promise<void> => {
      const rows = Array.from({ length: 1_000 }, (_, id) => ({ batch, id, text: 'y' }));
      for (;;) {
        try {
          await own.clickhouse.insert('batches', rows);
          break;
        } catch (error) {
          if (!(error instanceof ClickHouseUnavailableError)) throw error;
          retried.add(batch);
          await untilAvailable(own.clickhouse);
        }
      }
      acknowledged += 1;
      if (acknowledged === 40) await own.kill();
    };
    const batches = Array.from({ length: 100 }, (_, batch) => batch);
    const work = batches.values();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const batch of work) await insert(batch);
      }),
    );
    expect(retried.size).toBeGreaterThan(0);
    const rows = await readRows<{ batch: number }>(own.clickhouse, 'rows');
    expect(rows.filter(({ batch }) => batch < 100)).toEqual(
      batches.map((batch) => ({ batch, rows: 1_000 })),
    );
    expect(await readRows(own.clickhouse, 'duplicates')).toEqual([{ duplicates: 0 }]);
  });

  test('several times is restarted each time, which is counted', async () => {
    const { restarts } = own.clickhouse;
    for (let kill = 0; kill < 3; kill += 1) {
      await own.kill();
      await expect
        .poll(() => own.clickhouse.ping().then(String, String))
        .toContain('ClickHouseUnavailableError');
      await untilAvailable(own.clickhouse);
    }
    expect(own.clickhouse.restarts - restarts).toBe(3);
  });
});

describe('DATA_DIR', () => {
  test('keeps its rows across a restart of the service', async () => {
    const { path, remove } = await makeDirectory();
    const first = await openEmbeddedClickHouse(path, choices);
    await first.clickhouse.insert('batches', [{ batch: 7, id: 1 }]);
    await first.clickhouse.close();
    const second = await openEmbeddedClickHouse(path, choices);
    expect(await readRows(second.clickhouse, 'rows')).toEqual([{ batch: 7, rows: 1 }]);
    await second.clickhouse.close();
    await remove();
  });

  test('may be relative and contain quotes, spaces and markup', async () => {
    const { path, remove } = await makeDirectory();
    const dataDir = relative(process.cwd(), join(path, `it's "here" & <there> é %20`));
    const first = await openEmbeddedClickHouse(dataDir, choices);
    await first.clickhouse.insert('batches', [{ batch: 8, id: 1 }]);
    expect(await readRows(first.clickhouse, 'rows')).toEqual([{ batch: 8, rows: 1 }]);
    await first.clickhouse.close();
    expect(await readdir(join(dataDir, 'clickhouse'))).toContain('store');
    await remove();
  });

  test('in use by another service is refused, and the other service is not disturbed', async () => {
    const second = startEmbeddedClickHouse(own.dataDir, { ...choices, lockWaitMs: 0 });
    await expect(second.ready).rejects.toThrow(ClickHouseStartError);
    await expect(second.ready).rejects.toThrow(
      `DATA_DIR ${own.dataDir} is in use by another service.`,
    );
    await expect(second.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await second.close();
    await own.clickhouse.ping();
  });

  test('of a service that is stopping is waited for', async () => {
    const { path, remove } = await makeDirectory();
    const first = await openEmbeddedClickHouse(path, choices);
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) };
    const second = startEmbeddedClickHouse(path, { ...choices, log });
    await expect.poll(() => warnings).toContain('waiting for the lock of the data directory');
    await first.clickhouse.close();
    await second.ready;
    await second.close();
    await remove();
  });

  test('below a file is refused with a message that says what to do', async () => {
    const { path, remove } = await makeDirectory();
    await writeFile(join(path, 'file'), '');
    const clickhouse = startEmbeddedClickHouse(join(path, 'file', 'data'));
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      /DATA_DIR .* cannot be used: ENOTDIR.* Set DATA_DIR to/,
    );
    await remove();
  });

  test('with unusable files is refused with the error message of ClickHouse', async () => {
    const { path, remove } = await makeDirectory();
    await mkdir(join(path, 'clickhouse', 'status'), { recursive: true });
    const clickhouse = startEmbeddedClickHouse(path);
    await expect(clickhouse.ready).rejects.toThrow(/exited during its start.*Is a directory/s);
    await remove();
  });
});

describe('the server process', () => {
  test('exits when the service is killed', async () => {
    const { path, remove } = await makeDirectory();
    const service = spawn(process.execPath, nodeArgumentsOf('start'), {
      env: { PATH: process.env['PATH'], PORT: '0', API_KEYS: testKey, DATA_DIR: path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: service.stdout })) {
      if (line.includes('"ClickHouse is ready"')) break;
    }
    const processId = await readProcessId(path);
    expect(isRunning(processId)).toBe(true);
    service.kill('SIGKILL');
    await once(service, 'close');
    await expect.poll(() => isRunning(processId)).toBe(false);
    await remove();
  });

  test('has exited when close resolves, and requests in flight have failed', async () => {
    const { path, remove } = await makeDirectory();
    const other = await openEmbeddedClickHouse(path, choices);
    const reading = expect(readRows(other.clickhouse, 'sleeping')).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    await expect
      .poll(() => readRows(other.clickhouse, 'running', { name: 'sleeping' }))
      .toEqual([{ count: 1 }]);
    const processId = await other.processId();
    await other.clickhouse.close();
    expect(isRunning(processId)).toBe(false);
    await reading;
    await expect(other.clickhouse.ping()).rejects.toThrow('ClickHouse is closed');
    await other.clickhouse.close();
    await remove();
  });

  test('is killed if it does not exit within the time limit', async () => {
    const { path, remove } = await makeDirectory();
    const other = await openEmbeddedClickHouse(path, { ...choices, stopTimeoutMs: 100 });
    const processId = await other.processId();
    process.kill(processId, 'SIGSTOP');
    await other.clickhouse.close();
    expect(isRunning(processId)).toBe(false);
    await remove();
  });

  test('merges the files of DATA_DIR/clickhouse/config.d, and keeps no log table without one', async () => {
    const queries = toQueries({
      logged: 'SELECT count() > 0 AS logged FROM system.query_log',
    });
    const { path, remove } = await makeDirectory();
    await addQueryLog(path);
    const other = await openEmbeddedClickHouse(path, { queries });
    const logged = (): Promise<unknown> => readRows(other.clickhouse, 'logged').catch(String);
    await expect.poll(logged).toEqual([{ logged: 1 }]);
    await other.clickhouse.close();
    await remove();
    const log = "SELECT toUInt32(count()) AS logs FROM system.tables WHERE name LIKE '%_log'";
    const client = openServerClient();
    expect(await queryRows(client, log)).toEqual([{ logs: 0 }]);
    await client.close();
  });

  test('has exited when ClickHouse is closed during its start', async () => {
    const { path, remove } = await makeDirectory();
    const clickhouse = startEmbeddedClickHouse(path, choices);
    await clickhouse.close();
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseUnavailableError);
    const processId = await readProcessId(path).catch(() => undefined);
    expect(processId === undefined || !isRunning(processId)).toBe(true);
    await remove();
  });

  test('leaves no secret on disk', async () => {
    const { path, remove } = await makeDirectory();
    const temporary = await makeDirectory();
    vi.stubEnv('TMPDIR', temporary.path);
    const other = await openEmbeddedClickHouse(path, choices);
    vi.unstubAllEnvs();
    expect(await readdir(temporary.path)).toEqual([]);
    await other.clickhouse.close();
    await Promise.all([remove(), temporary.remove()]);
  });
});

describe('the HTTP interface of the embedded server', () => {
  const statement = { method: 'POST', body: 'SELECT currentUser() AS name FORMAT JSONEachRow' };
  const basic = (credentials: string): string => `Basic ${btoa(credentials)}`;

  test.each([
    ['without credentials', '/', {}],
    ['as default', '/', { authorization: basic('default:') }],
    ['as default by header', '/', { 'x-clickhouse-user': 'default' }],
    ['as default by parameter', '/?user=default', {}],
    ['with a wrong password', '/', { authorization: basic('calls_usage:wrong') }],
    [
      'as default next to a wrong password',
      '/?user=default',
      { authorization: basic('calls_usage:') },
    ],
    ['on another path', '/play', {}],
  ])('handles no request %s', async (_, path, headers) => {
    const { url } = inject('clickhouse');
    const answer = await fetch(new URL(path, url), { ...statement, headers });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toMatch(/^There is no handle/);
  });

  test('runs the statements of the service as its own user', async () => {
    const { url, username, password } = inject('clickhouse');
    const headers = { authorization: basic(`${username}:${password}`) };
    const answer = await fetch(url, { ...statement, headers });
    expect(await answer.json()).toEqual({ name: 'calls_usage' });
  });
});

describe('a platform', () => {
  test.each([
    { os: 'linux', architecture: 'x64', glibc: '2.36' },
    { os: 'linux', architecture: 'arm64', glibc: '2.36' },
    { os: 'darwin', architecture: 'arm64', glibc: undefined },
  ])('with an embedded ClickHouse is accepted: $os $architecture', (platform) => {
    expect(() => checkPlatform(platform)).not.toThrow();
  });

  test.each([
    [{ os: 'win32', architecture: 'x64', glibc: undefined }, 'win32 x64;'],
    [{ os: 'linux', architecture: 'x64', glibc: undefined }, 'linux x64 with musl;'],
    [{ os: 'linux', architecture: 'riscv64', glibc: '2.36' }, 'linux riscv64;'],
    [{ os: 'freebsd', architecture: 'x64', glibc: undefined }, 'freebsd x64;'],
  ])('without one is refused with a message that names the alternative: %j', (platform, reason) => {
    const check = (): void => checkPlatform(platform);
    expect(check).toThrow(ClickHouseStartError);
    expect(check).toThrow(reason);
    expect(check).toThrow('Set CLICKHOUSE_URL');
  });
});
