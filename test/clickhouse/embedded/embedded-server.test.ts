import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';

import { checkPlatform } from '../../../src/clickhouse/embedded/platform.ts';
import type { ClickHouse } from '../../../src/clickhouse/clickhouse.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseStartError,
} from '../../../src/clickhouse/errors.ts';
import { startClickHouse } from '../../../src/clickhouse/start-clickhouse.ts';
import { parseSettings } from '../../../src/settings.ts';
import {
  openServerClient,
  queryRows,
  readRows,
  toMigrations,
  toQueries,
} from '../../support/clickhouse.ts';
import { silentLog } from '../../support/silent-log.ts';
import {
  isRunning,
  makeDirectory,
  startEmbeddedClickHouse,
  type EmbeddedClickHouse,
} from '../../support/embedded-clickhouse.ts';

const extras = {
  queries: toQueries({
    one: 'SELECT 1 AS one',
    sleeping: 'SELECT sleepEachRow(0.1) AS slept FROM system.numbers SETTINGS max_block_size = 1',
    running: `SELECT toUInt32(count()) AS count FROM system.processes
      WHERE Settings['log_comment'] = {name: String}`,
    rows: 'SELECT batch, toUInt32(count()) AS rows FROM batches FINAL GROUP BY batch ORDER BY batch',
    twice: 'SELECT toUInt32(count() - uniqExact(batch, id)) AS twice FROM batches FINAL',
  }),
  migrations: toMigrations({
    '0001_batches': `CREATE TABLE IF NOT EXISTS batches (batch UInt32, id UInt32, text String)
      ENGINE = ReplacingMergeTree ORDER BY (batch, id);`,
  }),
};

let directory: Awaited<ReturnType<typeof makeDirectory>>;
let own: EmbeddedClickHouse;
beforeAll(async () => {
  directory = await makeDirectory();
  own = await startEmbeddedClickHouse(directory.path, extras);
});
afterAll(async () => {
  await own.clickhouse.close();
  await directory.remove();
});

async function untilRunning(name: string): Promise<void> {
  const running = (): Promise<object[]> => readRows(own.clickhouse, 'running', { name });
  await expect.poll(running).toEqual([{ count: 1 }]);
}

async function untilBack(clickhouse: ClickHouse): Promise<void> {
  await expect.poll(() => readRows(clickhouse, 'one')).toEqual([{ one: 1 }]);
}

describe('an engine that is killed', () => {
  test('under a request: it rejects, the next ones too, and the engine comes back by itself', async () => {
    const before = own.processId();
    const reading = expect(readRows(own.clickhouse, 'sleeping')).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    await untilRunning('sleeping');
    own.kill();
    await reading;
    await expect(own.clickhouse.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await expect(readRows(own.clickhouse, 'one')).rejects.toThrow(ClickHouseUnavailableError);
    await expect(own.clickhouse.insert('batches', [{ batch: 0 }])).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    await untilBack(own.clickhouse);
    await own.clickhouse.ping();
    expect(own.processId()).not.toBe(before);
  });

  test('under an insert: it rejects, and the same rows can be sent again', async () => {
    const rows = Array.from({ length: 300_000 }, (_, id) => ({ batch: 1_000, id, text: 'x' }));
    const inserting = own.clickhouse.insert('batches', rows);
    const rejected = expect(inserting).rejects.toThrow(ClickHouseUnavailableError);
    await untilRunning('insert_batches');
    own.kill();
    await rejected;
    await untilBack(own.clickhouse);
    await own.clickhouse.insert('batches', rows);
    expect(await readRows(own.clickhouse, 'rows')).toEqual([{ batch: 1_000, rows: 300_000 }]);
  });

  test('during a hundred inserts: every acknowledged row is there, none is there twice', async () => {
    const again = new Set<number>();
    let acknowledged = 0;
    const insert = async (batch: number): Promise<void> => {
      const rows = Array.from({ length: 1_000 }, (_, id) => ({ batch, id, text: 'y' }));
      for (;;) {
        try {
          await own.clickhouse.insert('batches', rows);
          break;
        } catch (error) {
          if (!(error instanceof ClickHouseUnavailableError)) throw error;
          again.add(batch);
          await untilBack(own.clickhouse);
        }
      }
      acknowledged += 1;
      if (acknowledged === 40) own.kill();
    };
    const batches = Array.from({ length: 100 }, (_, batch) => batch);
    const work = batches.values();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const batch of work) await insert(batch);
      }),
    );
    expect(again.size).toBeGreaterThan(0);
    const rows = await readRows<{ batch: number }>(own.clickhouse, 'rows');
    expect(rows.filter(({ batch }) => batch < 100)).toEqual(
      batches.map((batch) => ({ batch, rows: 1_000 })),
    );
    expect(await readRows(own.clickhouse, 'twice')).toEqual([{ twice: 0 }]);
  });

  test('again and again comes back again and again', async () => {
    for (let time = 0; time < 3; time += 1) {
      own.kill();
      await expect
        .poll(() => own.clickhouse.ping().then(String, String))
        .toContain('ClickHouseUnavailableError');
      await untilBack(own.clickhouse);
    }
  });
});

describe('the data directory', () => {
  test('keeps its rows over a restart of the service', async () => {
    const { path, remove } = await makeDirectory();
    const first = await startEmbeddedClickHouse(path, extras);
    await first.clickhouse.insert('batches', [{ batch: 7, id: 1 }]);
    await first.clickhouse.close();
    const second = await startEmbeddedClickHouse(path, extras);
    expect(await readRows(second.clickhouse, 'rows')).toEqual([{ batch: 7, rows: 1 }]);
    await second.clickhouse.close();
    await remove();
  });

  test('may be relative and have any name', async () => {
    const { path, remove } = await makeDirectory();
    const dataDir = relative(process.cwd(), join(path, `it's "here" & <there> é %20`));
    const first = await startEmbeddedClickHouse(dataDir, extras);
    await first.clickhouse.insert('batches', [{ batch: 8, id: 1 }]);
    expect(await readRows(first.clickhouse, 'rows')).toEqual([{ batch: 8, rows: 1 }]);
    await first.clickhouse.close();
    expect(await readdir(join(dataDir, 'clickhouse'))).toContain('store');
    await remove();
  });

  test('in use by another service is refused, and the other one goes on', async () => {
    const settings = parseSettings({ DATA_DIR: directory.path });
    const second = startClickHouse(settings, silentLog, { ...extras, lockWaitMs: 0 });
    await expect(second.ready).rejects.toThrow(ClickHouseStartError);
    await expect(second.ready).rejects.toThrow(
      `DATA_DIR ${directory.path} is in use by another service.`,
    );
    await expect(second.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await second.close();
    await own.clickhouse.ping();
  });

  test('of a service that is just ending is waited for', async () => {
    const { path, remove } = await makeDirectory();
    const first = await startEmbeddedClickHouse(path, extras);
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) };
    const second = startClickHouse(parseSettings({ DATA_DIR: path }), log, extras);
    await expect.poll(() => warnings).toContain('data directory in use, waiting for it');
    await first.clickhouse.close();
    await second.ready;
    await second.close();
    await remove();
  });

  test('below a file is refused with what to do', async () => {
    const { path, remove } = await makeDirectory();
    await writeFile(join(path, 'file'), '');
    const clickhouse = startClickHouse(
      parseSettings({ DATA_DIR: join(path, 'file', 'data') }),
      silentLog,
    );
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      /DATA_DIR .* cannot be used: ENOTDIR.* Set DATA_DIR to/,
    );
    await remove();
  });

  test('with something else in the place of its files is refused with what the engine says', async () => {
    const { path, remove } = await makeDirectory();
    await mkdir(join(path, 'clickhouse', 'status'), { recursive: true });
    const clickhouse = startClickHouse(parseSettings({ DATA_DIR: path }), silentLog);
    await expect(clickhouse.ready).rejects.toThrow(/ended while it started.*Is a directory/s);
    await remove();
  });
});

describe('the process', () => {
  test('ends when the service is killed', async () => {
    const { path, remove } = await makeDirectory();
    const script = fileURLToPath(new URL('../../support/service-process.ts', import.meta.url));
    const service = spawn(process.execPath, ['--import', 'tsx', script], {
      env: { ...process.env, DATA_DIR: path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: service.stdout })[Symbol.asyncIterator]();
    const processId = Number((await lines.next()).value);
    expect((await lines.next()).value).toBe('ready');
    expect(isRunning(processId)).toBe(true);
    service.kill('SIGKILL');
    await once(service, 'close');
    await expect.poll(() => isRunning(processId)).toBe(false);
    await remove();
  });

  test('has ended when close resolves, requests under way having been refused', async () => {
    const { path, remove } = await makeDirectory();
    const other = await startEmbeddedClickHouse(path, extras);
    const reading = expect(readRows(other.clickhouse, 'sleeping')).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    await expect
      .poll(() => readRows(other.clickhouse, 'running', { name: 'sleeping' }))
      .toEqual([{ count: 1 }]);
    await other.clickhouse.close();
    expect(isRunning(other.processId())).toBe(false);
    await reading;
    await expect(other.clickhouse.ping()).rejects.toThrow('The engine is closed');
    await other.clickhouse.close();
    await remove();
  });

  test('is killed where it does not end by itself', async () => {
    const { path, remove } = await makeDirectory();
    const other = await startEmbeddedClickHouse(path, { ...extras, stopTimeoutMs: 100 });
    process.kill(other.processId(), 'SIGSTOP');
    await other.clickhouse.close();
    expect(isRunning(other.processId())).toBe(false);
    await remove();
  });

  test('keeps a log of queries only where it is asked to', async () => {
    const queries = toQueries({
      logged: 'SELECT count() > 0 AS logged FROM system.query_log',
    });
    const { path, remove } = await makeDirectory();
    const other = await startEmbeddedClickHouse(path, { queries, queryLog: true });
    const logged = (): Promise<unknown> => readRows(other.clickhouse, 'logged').catch(String);
    await expect.poll(logged).toEqual([{ logged: 1 }]);
    await other.clickhouse.close();
    await remove();
    const log = "SELECT toUInt32(count()) AS logs FROM system.tables WHERE name LIKE '%_log'";
    const client = openServerClient();
    expect(await queryRows(client, log)).toEqual([{ logs: 0 }]);
    await client.close();
  });

  test('has ended when an engine is closed that is still starting', async () => {
    const { path, remove } = await makeDirectory();
    let processId = 0;
    const clickhouse = startClickHouse(parseSettings({ DATA_DIR: path }), silentLog, {
      ...extras,
      onEmbedded: (id) => (processId = id),
    });
    await clickhouse.close();
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseUnavailableError);
    expect(processId === 0 || !isRunning(processId)).toBe(true);
    await remove();
  });

  test('leaves no secret on disk', async () => {
    const { path, remove } = await makeDirectory();
    const temporary = await makeDirectory();
    vi.stubEnv('TMPDIR', temporary.path);
    const other = await startEmbeddedClickHouse(path, extras);
    vi.unstubAllEnvs();
    expect(await readdir(temporary.path)).toEqual([]);
    await other.clickhouse.close();
    await Promise.all([remove(), temporary.remove()]);
  });
});

describe('over HTTP', () => {
  const statement = { method: 'POST', body: 'SELECT currentUser() AS name FORMAT JSONEachRow' };
  const basic = (credentials: string): string => `Basic ${btoa(credentials)}`;

  test.each([
    ['without credentials', '/', {}],
    ['as default', '/', { authorization: basic('default:') }],
    ['as default by header', '/', { 'x-clickhouse-user': 'default' }],
    ['as default by parameter', '/?user=default', {}],
    ['with a wrong password', '/', { authorization: basic('calls_usage:wrong') }],
    [
      'as default beside a wrong password',
      '/?user=default',
      { authorization: basic('calls_usage:') },
    ],
    ['on another path', '/play', {}],
  ])('nobody gets in %s', async (_, path, headers) => {
    const { url } = inject('clickhouse');
    const answer = await fetch(new URL(path, url), { ...statement, headers });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toMatch(/^There is no handle/);
  });

  test('the service is its own user', async () => {
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
  ])('with an engine is accepted: $os $architecture', (platform) => {
    expect(() => checkPlatform(platform)).not.toThrow();
  });

  test.each([
    [{ os: 'win32', architecture: 'x64', glibc: undefined }, 'win32 x64;'],
    [{ os: 'linux', architecture: 'x64', glibc: undefined }, 'linux x64 with musl;'],
    [{ os: 'linux', architecture: 'riscv64', glibc: '2.36' }, 'linux riscv64;'],
    [{ os: 'freebsd', architecture: 'x64', glibc: undefined }, 'freebsd x64;'],
  ])('without one is refused with the way out: %j', (platform, words) => {
    const check = (): void => checkPlatform(platform);
    expect(check).toThrow(ClickHouseStartError);
    expect(check).toThrow(words);
    expect(check).toThrow('Set CLICKHOUSE_URL');
  });
});
