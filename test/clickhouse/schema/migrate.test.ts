import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest';

import { openClient, type Address } from '../../../src/clickhouse/client/open-client.ts';
import type { ClickHouse } from '../../../src/clickhouse/clickhouse.ts';
import { ClickHouseStartError } from '../../../src/clickhouse/errors.ts';
import { migrationsFolder, readMigrations } from '../../../src/clickhouse/schema/migrations.ts';
import { withServerLock } from '../../../src/clickhouse/client/server-lock.ts';
import { parseSettings } from '../../../src/settings/settings.ts';
import {
  openTestClickHouse,
  serverUrl,
  startServerClickHouse,
  toMigrations,
  type TestClickHouse,
} from '../../support/clickhouse/clickhouse.ts';
import { makeDirectory } from '../../support/clickhouse/embedded-clickhouse.ts';

const one = {
  '0001_one': `CREATE TABLE IF NOT EXISTS one (id UInt32) ENGINE = MergeTree ORDER BY id;
    INSERT INTO one VALUES (1);`,
};
const two = {
  ...one,
  '0002_two': 'CREATE VIEW IF NOT EXISTS two AS SELECT id + 1 AS id FROM one;',
};

let opened: TestClickHouse;
beforeEach(async () => {
  opened = await openTestClickHouse({}, { migrations: [] });
  return () => opened.close();
});

function start(files: Readonly<Record<string, string>>): ClickHouse {
  return startServerClickHouse(parseSettings(opened.environment), {
    migrations: toMigrations(files),
  });
}

async function apply(files: Readonly<Record<string, string>>): Promise<void> {
  const clickhouse = start(files);
  try {
    await clickhouse.ready;
  } finally {
    await clickhouse.close();
  }
}

async function readApplied(): Promise<string[]> {
  const rows = await opened.query<{ name: string }>('SELECT name FROM schema_migrations');
  return rows.map(({ name }) => name).sort();
}

describe('migrations', () => {
  test('are applied in order and recorded with checksum and time', async () => {
    await apply(two);
    expect(await opened.query('SELECT id FROM two')).toEqual([{ id: '2' }]);
    const recorded = `SELECT name, match(checksum, '^[0-9a-f]{64}$') AS checked,
        abs(dateDiff('second', applied_at, now64(3))) < 600 AS timed FROM schema_migrations ORDER BY name`;
    expect(await opened.query(recorded)).toEqual([
      { name: '0001_one', checked: 1, timed: 1 },
      { name: '0002_two', checked: 1, timed: 1 },
    ]);
  });

  test('are applied only once', async () => {
    await apply(two);
    await apply(two);
    expect(await opened.query('SELECT id FROM one')).toEqual([{ id: 1 }]);
    expect(await readApplied()).toEqual(['0001_one', '0002_two']);
  });

  test('that are new are applied to a database with older ones', async () => {
    await apply(one);
    await apply(two);
    expect(await opened.query('SELECT id FROM two')).toEqual([{ id: '2' }]);
    expect(await opened.query('SELECT id FROM one')).toEqual([{ id: 1 }]);
  });

  test('are applied only once when twenty services start concurrently', async () => {
    const clickhouses = Array.from({ length: 20 }, () => start(two));
    await Promise.all(clickhouses.map((clickhouse) => clickhouse.ready));
    await Promise.all(clickhouses.map((clickhouse) => clickhouse.close()));
    expect(await readApplied()).toEqual(['0001_one', '0002_two']);
    expect(await opened.query('SELECT id FROM one')).toEqual([{ id: 1 }]);
  });

  test('that were changed after they were applied are refused', async () => {
    await apply(two);
    const clickhouse = start({ ...two, '0001_one': `${one['0001_one']} -- a comment is a change` });
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      /^Migration 0001_one was changed after it was applied: .* Restore the file/,
    );
    await clickhouse.close();
  });

  test('with other line endings are unchanged', async () => {
    await apply(one);
    await apply({ '0001_one': one['0001_one'].replaceAll('\n', '\r\n') });
  });

  test('that this version does not know are refused with a message that names the last known one', async () => {
    await apply(two);
    await expect(apply(one)).rejects.toThrow(
      'The database has migration 0002_two, which this version does not know (its last is 0001_one).',
    );
    await expect(apply({})).rejects.toThrow('(its last is none)');
  });

  test('with a number below that of an applied one are refused', async () => {
    await apply(two);
    const files = { '0000_late': 'SELECT 1;', ...two };
    await expect(apply(files)).rejects.toThrow('Migration 0000_late is not applied, but later');
  });

  test('that fail are named and not recorded, and can be applied again', async () => {
    const broken = { ...one, '0002_two': 'CREATE TABLE two (id UInt32) ENGINE = NoSuchEngine;' };
    const clickhouse = start(broken);
    await expect(clickhouse.ready).rejects.toThrow(ClickHouseStartError);
    await expect(clickhouse.ready).rejects.toThrow(
      /^Migration 0002_two, statement 1 failed: .*NoSuchEngine/,
    );
    await clickhouse.close();
    expect(await readApplied()).toEqual(['0001_one']);
    await apply(two);
    expect(await readApplied()).toEqual(['0001_one', '0002_two']);
  });

  test('that failed after some statements are run again from the first one', async () => {
    const first = 'CREATE TABLE IF NOT EXISTS a (id UInt32) ENGINE = MergeTree ORDER BY id;';
    const last = 'INSERT INTO a SELECT id FROM b;';
    await expect(apply({ '0001_a': `${first}\n${last}` })).rejects.toThrow('0001_a, statement 2');
    await opened.command('CREATE TABLE b (id UInt32) ENGINE = MergeTree ORDER BY id');
    await apply({ '0001_a': `${first}\n${last}` });
    expect(await readApplied()).toEqual(['0001_a']);
  });
});

describe('the lock of a server', () => {
  let address: Address;
  beforeAll(() => {
    address = inject('clickhouse');
  });
  const limits = { maxOpenConnections: 4, timeoutMs: 60_000, compression: false };

  test('is held by one owner at a time', async () => {
    const client = openClient(address, limits);
    const name = `lock-${opened.database}`;
    const nothing = (): Promise<void> => Promise.resolve();
    const hadLock = await withServerLock(client, name, async (check) => {
      expect(await withServerLock(client, name, nothing)).toBe(false);
      check();
    });
    expect(hadLock).toBe(true);
    await expect.poll(() => withServerLock(client, name, nothing)).toBe(true);
    await client.close();
  });

  test('is released when its owner disconnects, and the owner notices the loss', async () => {
    const dying = openClient(address, limits);
    const name = `lock-${opened.database}`;
    let isHeld = false;
    let die: () => void = () => undefined;
    const death = new Promise<void>((resolve) => (die = resolve));
    const holding = expect(
      withServerLock(dying, name, async (check) => {
        isHeld = true;
        await death;
        await vi.waitFor(() => expect(check).toThrow(), 20_000);
        check();
      }),
    ).rejects.toThrow(`The lock ${name} was lost`);
    await expect.poll(() => isHeld).toBe(true);
    await dying.close();
    const next = openClient(address, limits);
    const takeOver = (): Promise<boolean> => withServerLock(next, name, () => Promise.resolve());
    await expect.poll(takeOver).toBe(true);
    await next.close();
    die();
    await holding;
  });

  test('does not block a lock of another name', async () => {
    const client = openClient(address, limits);
    const hadLock = await withServerLock(client, `a-${opened.database}`, async () => {
      const other = `b-${opened.database}`;
      expect(await withServerLock(client, other, () => Promise.resolve())).toBe(true);
    });
    expect(hadLock).toBe(true);
    await client.close();
  });
});

describe('migration files', () => {
  let directory: Awaited<ReturnType<typeof makeDirectory>>;
  let count = 0;
  beforeAll(async () => {
    directory = await makeDirectory();
  });
  afterAll(() => directory.remove());

  async function makeFolder(files: Readonly<Record<string, string>>): Promise<URL> {
    count += 1;
    const path = join(directory.path, String(count));
    await mkdir(path);
    for (const [name, sql] of Object.entries(files)) await writeFile(join(path, name), sql);
    return pathToFileURL(`${path}/`);
  }

  test('are read in order', async () => {
    const folder = await makeFolder({ '0002_b.sql': 'SELECT 2;', '0001_a.sql': 'SELECT 1;' });
    expect(readMigrations(folder).map(({ name }) => name)).toEqual(['0001_a', '0002_b']);
  });

  test('of this version can be read', () => {
    expect(readMigrations(migrationsFolder)).toBeInstanceOf(Array);
  });

  test.each([
    ['a gap', { '0002_a.sql': 'SELECT 1;' }, '0002_a.sql should have number 0001'],
    ['a number twice', { '0001_a.sql': ';', '0001_b.sql': 'SELECT 1;' }, 'Migration 0001_a'],
    ['another name', { 'one.sql': 'SELECT 1;' }, 'one.sql is not named like 0001_what_it_does.sql'],
    ['another ending', { '0001_a.txt': '' }, '0001_a.txt is not named'],
    ['no statement', { '0001_a.sql': '-- later' }, 'Migration 0001_a: there is no statement.'],
    ['no last ;', { '0001_a.sql': 'SELECT 1' }, 'the last statement does not end with ;.'],
    ['an unclosed quote', { '0001_a.sql': "SELECT 'a;" }, "Migration 0001_a: ' is not closed."],
  ])('are refused with %s', async (_, files, message) => {
    const folder = await makeFolder(files);
    expect(() => readMigrations(folder)).toThrow(ClickHouseStartError);
    expect(() => readMigrations(folder)).toThrow(message);
  });
});

test('the environment of openTestClickHouse points to its database', async () => {
  expect(opened.environment.CLICKHOUSE_URL).toBe(serverUrl());
  await apply(one);
  expect(await opened.query('SELECT id FROM one')).toEqual([{ id: 1 }]);
});
