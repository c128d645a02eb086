import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { ClickHouseUnavailableError } from '../../src/clickhouse/errors.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import {
  openServerClient,
  openTestClickHouse,
  queryRows,
  readRows,
  serverUrl,
  startServerClickHouse,
  toMigrations,
  toQueries,
  type TestChoices,
} from '../support/clickhouse/clickhouse.ts';
import { silentLog } from '../support/silent-log.ts';
import { openTcpProxy } from '../support/http/tcp-proxy.ts';

const choices = {
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

/** The server, and the port of a proxy in front of it that each test opens and closes. */
let server: URL;
let port: number;

beforeAll(async () => {
  server = new URL(inject('clickhouse').url);
  const proxy = await openTcpProxy(server);
  port = proxy.port;
  await proxy.close();
});
afterAll(async () => {
  for (const name of databases) await client.command({ query: `DROP DATABASE IF EXISTS ${name}` });
  await client.close();
});

/** Starts a ClickHouse that connects through the proxy to a database of its own. */
function start(environment: Record<string, string> = {}, more: TestChoices = {}): ClickHouse {
  const url = new URL(serverUrl());
  url.port = String(port);
  const CLICKHOUSE_DATABASE = `test_${randomBytes(8).toString('hex')}`;
  databases.push(CLICKHOUSE_DATABASE);
  const settings = { CLICKHOUSE_URL: url.href, CLICKHOUSE_DATABASE, ...environment };
  return startServerClickHouse(parseSettings(settings), { ...choices, ...more });
}

async function expectUnavailable(clickhouse: ClickHouse): Promise<void> {
  await expect(clickhouse.ping()).rejects.toThrow(ClickHouseUnavailableError);
  await expect(readRows(clickhouse, 'one')).rejects.toThrow(ClickHouseUnavailableError);
  const inserting = clickhouse.insert('things', [{ id: 1 }]);
  await expect(inserting).rejects.toThrow(ClickHouseUnavailableError);
}

describe('a server that is unavailable', () => {
  test('at start is waited for and used as soon as it answers', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => warnings.push(message) };
    const clickhouse = start({}, { log });
    await expect.poll(() => warnings.length).toBeGreaterThan(2);
    await expectUnavailable(clickhouse);
    expect(clickhouse.version).toBe('');
    const proxy = await openTcpProxy(server, port);
    await clickhouse.ready;
    await clickhouse.ping();
    expect(clickhouse.version).toMatch(/^\d+\.\d+/);
    expect(await readRows(clickhouse, 'one')).toEqual([{ one: 1 }]);
    await clickhouse.close();
    await proxy.close();
  });

  test('at start is no longer waited for after close', async () => {
    const clickhouse = start();
    await expect(clickhouse.ping()).rejects.toThrow(ClickHouseUnavailableError);
    await clickhouse.close();
    await expect(clickhouse.ready).rejects.toThrow('ClickHouse is closed');
  });

  test('fails the requests in flight and new ones, and serves requests again when it is back', async () => {
    const proxy = await openTcpProxy(server, port);
    const clickhouse = start();
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
    await expectUnavailable(clickhouse);
    // The service cannot cancel the query; ClickHouse notices that its client has disconnected.
    await expect.poll(() => queryRows(client, running, { database })).toEqual([{ count: 0 }]);
    const reopened = await openTcpProxy(server, port);
    await clickhouse.ping();
    await clickhouse.insert('things', [{ id: 2 }]);
    expect(await readRows(clickhouse, 'rows')).toEqual([{ id: 2 }]);
    await clickhouse.close();
    await reopened.close();
  });
});

test('close fails the requests in flight and those that wait for a connection', async () => {
  const proxy = await openTcpProxy(server, port);
  const clickhouse = start({ CLICKHOUSE_MAX_OPEN_CONNECTIONS: '1' });
  await clickhouse.ready;
  const readings = Array.from({ length: 5 }, () =>
    expect(readRows(clickhouse, 'sleeping')).rejects.toThrow(ClickHouseUnavailableError),
  );
  await clickhouse.close();
  await Promise.all(readings);
  await proxy.close();
});

test('a database that was dropped is created again with its tables', async () => {
  const opened = await openTestClickHouse({}, choices);
  await opened.clickhouse.insert('things', [{ id: 1 }]);
  await opened.command(`DROP DATABASE ${opened.database}`);
  await expect(readRows(opened.clickhouse, 'rows')).rejects.toThrow(ClickHouseUnavailableError);
  await expect.poll(() => readRows(opened.clickhouse, 'rows').catch(String)).toEqual([]);
  await opened.clickhouse.insert('things', [{ id: 2 }]);
  expect(await readRows(opened.clickhouse, 'rows')).toEqual([{ id: 2 }]);
  await opened.close();
});
