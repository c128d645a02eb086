import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import type { ClickHouse } from '../../../src/clickhouse/clickhouse.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseStartError,
} from '../../../src/clickhouse/errors.ts';
import { toReplicated } from '../../../src/clickhouse/cluster/replicated-tables.ts';
import {
  toRemoteAddress,
  toRemoteAddresses,
} from '../../../src/clickhouse/client/remote-address.ts';
import {
  checkServerVersion,
  compareVersions,
} from '../../../src/clickhouse/schema/server-version.ts';
import {
  startClickHouse,
  type ClickHouseExtras,
} from '../../../src/clickhouse/start-clickhouse.ts';
import { parseSettings } from '../../../src/settings.ts';
import {
  openServerClient,
  openTestClickHouse,
  queryRows,
  readRows,
  serverUrl,
  toMigrations,
  toQueries,
} from '../../support/clickhouse.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';

const extras = {
  queries: toQueries({
    one: 'SELECT 1 AS one',
    rows: 'SELECT id FROM things ORDER BY id',
    sleeping: 'SELECT sleepEachRow(0.1) AS slept FROM system.numbers SETTINGS max_block_size = 1',
  }),
  migrations: toMigrations({
    '0001_things': 'CREATE TABLE IF NOT EXISTS things (id UInt32) ENGINE = MergeTree ORDER BY id;',
  }),
};

const client = openServerClient();
const databases: string[] = [];

function newDatabase(): string {
  const name = `test_${randomBytes(8).toString('hex')}`;
  databases.push(name);
  return name;
}

afterAll(async () => {
  for (const name of databases) await client.command({ query: `DROP DATABASE IF EXISTS ${name}` });
  await client.close();
});

function start(environment: Record<string, string>, more: ClickHouseExtras = {}): ClickHouse {
  const CLICKHOUSE_DATABASE = newDatabase();
  const settings = parseSettings({ CLICKHOUSE_DATABASE, ...environment });
  return startClickHouse(settings, silentLog, { ...extras, ...more });
}

function proxyUrl(port: number): string {
  const url = new URL(serverUrl());
  url.port = String(port);
  return url.href;
}

describe('CLICKHOUSE_URL', () => {
  const settings = {
    clickhouseUser: undefined,
    clickhousePassword: undefined,
    clickhouseDatabase: 'calls_usage',
  };
  const separate = { ...settings, clickhouseUser: 'sue', clickhousePassword: 'secret' };

  test.each([
    ['http://h:8123', settings, ['http://h:8123', 'default', '', 'calls_usage']],
    ['https://h', separate, ['https://h', 'sue', 'secret', 'calls_usage']],
    ['https://u:p@h:8443/', separate, ['https://h:8443', 'u', 'p', 'calls_usage']],
    ['http://u:p%40%2F%3A@h/db', settings, ['http://h', 'u', 'p@/:', 'db']],
    ['http://h:1/?database=other', settings, ['http://h:1', 'default', '', 'other']],
    ['http://[::1]:8123', settings, ['http://[::1]:8123', 'default', '', 'calls_usage']],
  ])('is read: %s', (clickhouseUrl, others, [url, username, password, database]) => {
    const address = { url, username, password, database };
    expect(toRemoteAddress({ ...others, clickhouseUrl })).toEqual(address);
  });

  test.each([
    ['localhost:8123', 'it begins with localhost:'],
    ['clickhouse', 'it is no URL'],
    ['tcp://u:hidden@h:9000', 'it begins with tcp:'],
    ['http://', 'it is no URL'],
    ['http://h/a/b', 'its path is not the name of a database'],
    ['http://h/a?database=b', 'it names more than one database'],
    ['http://h/?compress=1', 'it has a parameter compress'],
    ['http://u:%E0%A4%A@h/', 'a % in it begins no character; write %25 for a % itself'],
  ])('that is malformed is refused at start, without repeating it: %s', async (url, words) => {
    const clickhouse = start({ CLICKHOUSE_URL: url });
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      `CLICKHOUSE_URL cannot be used, ${words}; it should`,
    );
    await expect(clickhouse.ready).rejects.not.toThrow('hidden');
    await expect(clickhouse.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await clickhouse.close();
  });
});

describe('a server version', () => {
  test.each([
    ['25.8.1.3994', '25.8', 0],
    ['25.7.9.1', '25.8', -1],
    ['26.1.1.1', '25.8', 1],
    ['25.10.1.1', '25.8', 1],
    ['25.8.16.10001.altinitystable', '25.8.16', 0],
    ['nonsense', '25.8', -1],
  ])('%s against %s', (version, minimum, sign) => {
    expect(Math.sign(compareVersions(version, minimum))).toBe(sign);
  });

  test('that is too old is refused with both named', () => {
    const check = (): void => checkServerVersion('24.3.1.5', '25.8');
    expect(check).toThrow('ClickHouse is version 24.3.1.5, but version 25.8 or newer is needed.');
  });

  test('of a real server that is too old is refused at start', async () => {
    const clickhouse = start({ CLICKHOUSE_URL: serverUrl() }, { minimumVersion: '99.1' });
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      /^ClickHouse is version \d+\.\d+\S*, but version 99\.1 or newer is needed\.$/,
    );
    await clickhouse.close();
  });
});

describe('a user', () => {
  const guest = (username: string): Record<string, string> => ({
    CLICKHOUSE_URL: inject('clickhouse').url,
    CLICKHOUSE_USER: username,
    CLICKHOUSE_PASSWORD: inject('guestPassword'),
  });

  test('with a wrong password is refused at start', async () => {
    const clickhouse = start(guest('unknown'));
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      'refuses user unknown: wrong user name or password.',
    );
    await clickhouse.close();
  });

  test('with no more than the documented rights can use a database that is there', async () => {
    await client.command({ query: 'CREATE DATABASE IF NOT EXISTS allowed' });
    const settings = parseSettings({ ...guest('limited'), CLICKHOUSE_DATABASE: 'allowed' });
    const clickhouse = startClickHouse(settings, silentLog);
    await clickhouse.ready;
    await clickhouse.ping();
    await clickhouse.close();
    await client.command({ query: 'DROP DATABASE allowed' });
  });

  test('who may not make a database is refused where it is missing', async () => {
    const clickhouse = start(guest('limited'));
    await expect(clickhouse.ready).rejects.toThrow(/The database test_\w+ is missing, or hidden/);
    await clickhouse.close();
  });
});

describe('a server that is away', () => {
  let target: URL;
  let port: number;
  beforeAll(async () => {
    target = new URL(inject('clickhouse').url);
    const proxy = await openTcpProxy(target);
    port = proxy.port;
    await proxy.close();
  });

  test('at start is waited for, and used once it is there', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) };
    const settings = parseSettings({
      CLICKHOUSE_URL: proxyUrl(port),
      CLICKHOUSE_DATABASE: newDatabase(),
    });
    const clickhouse = startClickHouse(settings, log, extras);
    await expect.poll(() => warnings.length).toBeGreaterThan(2);
    await expect(clickhouse.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await expect(readRows(clickhouse, 'one')).rejects.toThrow(ClickHouseUnavailableError);
    await expect(clickhouse.insert('things', [{ id: 1 }])).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    expect(clickhouse.version).toBe('');
    const proxy = await openTcpProxy(target, port);
    await clickhouse.ready;
    await clickhouse.ping();
    expect(clickhouse.version).toMatch(/^\d+\.\d+/);
    expect(await readRows(clickhouse, 'one')).toEqual([{ one: 1 }]);
    await clickhouse.close();
    await proxy.close();
  });

  test('under more requests than connections refuses those that wait, too', async () => {
    const proxy = await openTcpProxy(target, port);
    const clickhouse = start({
      CLICKHOUSE_URL: proxyUrl(port),
      CLICKHOUSE_MAX_OPEN_CONNECTIONS: '1',
    });
    await clickhouse.ready;
    const readings = Array.from({ length: 5 }, () =>
      expect(readRows(clickhouse, 'sleeping')).rejects.toThrow(ClickHouseUnavailableError),
    );
    await clickhouse.close();
    await Promise.all(readings);
    await proxy.close();
  });

  test('can be given up waiting for', async () => {
    const clickhouse = start({ CLICKHOUSE_URL: proxyUrl(port) });
    await expect(clickhouse.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await clickhouse.close();
    await expect(clickhouse.ready).rejects.toThrow('The engine is closed');
  });

  test('for a while refuses requests meanwhile and those under way, then answers again', async () => {
    const proxy = await openTcpProxy(target, port);
    const clickhouse = start({ CLICKHOUSE_URL: proxyUrl(port) });
    await clickhouse.ready;
    const reading = expect(readRows(clickhouse, 'sleeping')).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    const running = `SELECT toUInt32(count()) AS count FROM system.processes
      WHERE Settings['log_comment'] = 'sleeping' AND current_database = {database: String}`;
    const database = databases.at(-1);
    await expect.poll(() => queryRows(client, running, { database })).toEqual([{ count: 1 }]);
    await proxy.close();
    await reading;
    await expect(clickhouse.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await expect(readRows(clickhouse, 'one')).rejects.toThrow(ClickHouseUnavailableError);
    await expect(clickhouse.insert('things', [{ id: 1 }])).rejects.toThrow(
      ClickHouseUnavailableError,
    );
    // Nobody can tell ClickHouse to end the query; it notices by itself that its client is gone.
    await expect.poll(() => queryRows(client, running, { database })).toEqual([{ count: 0 }]);
    const back = await openTcpProxy(target, port);
    await clickhouse.ping();
    await clickhouse.insert('things', [{ id: 2 }]);
    expect(await readRows(clickhouse, 'rows')).toEqual([{ id: 2 }]);
    await clickhouse.close();
    await back.close();
  });

  test('and comes back empty is set up again', async () => {
    const opened = await openTestClickHouse({}, extras);
    await opened.clickhouse.insert('things', [{ id: 1 }]);
    await opened.command(`DROP DATABASE ${opened.database}`);
    await expect(readRows(opened.clickhouse, 'rows')).rejects.toThrow(ClickHouseUnavailableError);
    await expect.poll(() => readRows(opened.clickhouse, 'rows').catch(String)).toEqual([]);
    await opened.clickhouse.insert('things', [{ id: 2 }]);
    expect(await readRows(opened.clickhouse, 'rows')).toEqual([{ id: 2 }]);
    await opened.close();
  });
});

test('compressed requests and answers hold the same', async () => {
  const opened = await openTestClickHouse({ clickhouseCompression: true }, extras);
  const rows = Array.from({ length: 10_000 }, (_, id) => ({ id }));
  await opened.clickhouse.insert('things', rows);
  expect(await readRows(opened.clickhouse, 'rows')).toEqual(rows);
  await opened.close();
});

describe('a cluster', () => {
  test('is the nodes that CLICKHOUSE_URL lists', () => {
    const settings = {
      ...{ clickhouseUser: 'sue', clickhousePassword: 'secret', clickhouseDatabase: 'db' },
      ...{ clickhouseUrl: 'http://one:8123, http://joe:hidden@two:8123', clickhouseCluster: 'c' },
    };
    expect(toRemoteAddresses(settings)).toEqual([
      { url: 'http://one:8123', username: 'sue', password: 'secret', database: 'db' },
      { url: 'http://two:8123', username: 'joe', password: 'hidden', database: 'db' },
    ]);
  });

  test.each([
    [{ CLICKHOUSE_URL: 'http://one,http://two' }, 'needs CLICKHOUSE_CLUSTER'],
    [{ CLICKHOUSE_CLUSTER: 'c' }, 'needs CLICKHOUSE_URL'],
    [
      { CLICKHOUSE_URL: 'http://one/a,http://two/b', CLICKHOUSE_CLUSTER: 'c' },
      'name several databases',
    ],
  ])('is refused where its settings contradict: %j', async (environment, words) => {
    const clickhouse = startClickHouse(parseSettings({ ...environment }), silentLog);
    await expect(clickhouse.ready).rejects.toThrow(words);
    await clickhouse.close();
  });

  test('with a Keeper has replicated tables', () => {
    const [migration] = toReplicated(
      toMigrations({
        '0001_all': `
          CREATE TABLE a (x Int8) ENGINE = MergeTree ORDER BY x;
          CREATE TABLE b (x Int8) ENGINE = ReplacingMergeTree(created_at, is_deleted) ORDER BY x;
          INSERT INTO a SELECT 'ENGINE = Memory';`,
      }),
    );
    const place = `'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'`;
    expect(migration?.statements).toEqual([
      `CREATE TABLE a (x Int8) ENGINE = ReplicatedMergeTree(${place}) ORDER BY x`,
      `CREATE TABLE b (x Int8) ENGINE = ReplicatedReplacingMergeTree(${place}, created_at, is_deleted) ORDER BY x`,
      `INSERT INTO a SELECT 'ENGINE = Memory'`,
    ]);
  });
});
