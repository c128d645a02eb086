import { randomUUID } from 'node:crypto';

import { beforeEach, describe, expect, test } from 'vitest';

import { ClickHouseOverloadedError } from '../../../src/clickhouse/errors.ts';
import type { QueryName } from '../../../src/clickhouse/client/statements/queries.ts';
import { openTestClickHouse, readRows, toQueries } from '../../support/clickhouse/clickhouse.ts';
import { fixture } from '../../support/fixtures.ts';

const queries = toQueries({
  copy: `INSERT INTO events (id, name)
    SELECT rowNumberInAllBlocks(), name FROM (SELECT arrayJoin({names: Array(String)}) AS name)`,
  ids: 'SELECT id FROM events ORDER BY id',
  fail: 'INSERT INTO events (id) SELECT throwIf(number = 5) FROM numbers(10)',
});

const opened = fixture(async () => {
  const opened = await openTestClickHouse({}, { queries });
  await opened.command(`CREATE TABLE events (id UInt64, name String, at DateTime64(6, 'UTC'))
    ENGINE = MergeTree ORDER BY id`);
  await opened.command(`CREATE TABLE inserted_blocks (rows UInt64, blocks UInt64) ENGINE = Memory`);
  await opened.command(`CREATE MATERIALIZED VIEW count_blocks TO inserted_blocks AS
    SELECT count() AS rows, uniqExact(blockNumber()) AS blocks FROM events`);
  return opened;
});
beforeEach(async () => {
  await opened.command('TRUNCATE TABLE events');
  await opened.command('TRUNCATE TABLE inserted_blocks');
});

function toEvents(count: number, name = 'x'): object[] {
  return Array.from({ length: count }, (_, id) => ({ id, name, at: '2026-01-31 23:59:59.123456' }));
}

describe('an insert', () => {
  test('that resolves has stored its rows and those of materialized views', async () => {
    await opened.clickhouse.insert('events', toEvents(2));
    expect(await opened.query('SELECT * FROM events ORDER BY id')).toEqual([
      { id: '0', name: 'x', at: '2026-01-31 23:59:59.123456' },
      { id: '1', name: 'x', at: '2026-01-31 23:59:59.123456' },
    ]);
    expect(await opened.query('SELECT rows FROM inserted_blocks')).toEqual([{ rows: '2' }]);
  });

  test('of 64 MiB is one block', async () => {
    const rows = toEvents(160_000, 'y'.repeat(400));
    await opened.clickhouse.insert('events', rows);
    expect(await opened.query('SELECT rows FROM inserted_blocks')).toEqual([{ rows: '160000' }]);
    const parts = `SELECT count() AS parts, sum(rows) AS rows FROM system.parts
      WHERE database = currentDatabase() AND table = 'events' AND active`;
    expect(await opened.query(parts)).toEqual([{ parts: '1', rows: '160000' }]);
  });

  test('of more rows than ClickHouse puts into a block by itself is one block', async () => {
    await opened.clickhouse.insert('events', toEvents(1_200_000, ''));
    expect(await opened.query('SELECT rows FROM inserted_blocks')).toEqual([{ rows: '1200000' }]);
  });

  test('of no rows stores nothing', async () => {
    await opened.clickhouse.insert('events', []);
    expect(await opened.query('SELECT rows FROM inserted_blocks')).toEqual([]);
  });

  test('stores text with quotes, escapes and control characters unchanged', async () => {
    const names = ["'", '"', '\\', '\0', '\t\r\n', '😀', '\u2028', '{"a":1}', '__proto__', ''];
    const rows = names.map((name, id) => ({ id, name }));
    await opened.clickhouse.insert('events', rows);
    expect(await opened.query('SELECT name FROM events ORDER BY id')).toEqual(
      names.map((name) => ({ name })),
    );
  });

  test.each([
    ['an unknown column', { id: 3, other: 1 }],
    ['text in a number column', { id: 'three' }],
    ['a day that does not exist', { id: 3, at: '2026-02-30 00:00:00' }],
  ])('with %s fails and stores none of its rows', async (_, row) => {
    const inserting = opened.clickhouse.insert('events', [...toEvents(100), row]);
    await expect(inserting).rejects.toThrow('insert_events failed in ClickHouse');
    expect(await opened.query('SELECT count() AS count FROM events')).toEqual([{ count: '0' }]);
  });

  test('that exceeds its memory limit fails with ClickHouseOverloadedError', async () => {
    const limited = await openTestClickHouse({ queryMemoryMb: 16 });
    await limited.command('CREATE TABLE events (name String) ENGINE = MergeTree ORDER BY name');
    const rows = Array.from({ length: 50_000 }, () => ({ name: 'z'.repeat(1_000) }));
    await expect(limited.clickhouse.insert('events', rows)).rejects.toThrow(
      ClickHouseOverloadedError,
    );
    await limited.close();
  });

  test('into an unknown table fails and carries the error of ClickHouse as its cause', async () => {
    const inserting = opened.clickhouse.insert('no_such_table', [{ id: 1 }]);
    await expect(inserting).rejects.toHaveProperty('cause.type', 'UNKNOWN_TABLE');
  });
});

test('compressed requests and responses carry the same rows', async () => {
  const compressed = await openTestClickHouse({ clickhouseCompression: true }, { queries });
  await compressed.command('CREATE TABLE events (id UInt32) ENGINE = MergeTree ORDER BY id');
  const rows = Array.from({ length: 10_000 }, (_, id) => ({ id }));
  await compressed.clickhouse.insert('events', rows);
  expect(await readRows(compressed.clickhouse, 'ids')).toEqual(rows);
  await compressed.close();
});

describe('a write', () => {
  const write = (name: string, parameters: Record<string, unknown>): Promise<void> =>
    opened.clickhouse.write(name as QueryName, parameters);

  test('that resolves has stored its rows and those of materialized views', async () => {
    await write('copy', { names: ["it's", 'two'] });
    expect(await opened.query('SELECT name FROM events ORDER BY name')).toEqual([
      { name: "it's" },
      { name: 'two' },
    ]);
    expect(await opened.query('SELECT rows FROM inserted_blocks')).toEqual([{ rows: '2' }]);
  });

  test('accepts 200,000 ids', async () => {
    await write('copy', { names: Array.from({ length: 200_000 }, () => randomUUID()) });
    const count = 'SELECT uniqExact(name) AS count FROM events';
    expect(await opened.query(count)).toEqual([{ count: '200000' }]);
  });

  test('with a missing or unknown parameter is refused', async () => {
    await expect(write('copy', {})).rejects.toThrow('Query copy: parameter names is missing.');
    await expect(write('copy', { names: [], a: 1 })).rejects.toThrow('unknown parameter a');
  });

  test('that fails stores nothing, and its error names the query', async () => {
    await expect(write('fail', {})).rejects.toThrow('fail failed in ClickHouse');
    expect(await opened.query('SELECT count() AS count FROM events')).toEqual([{ count: '0' }]);
  });
});
