import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { ClickHouseOverloadedError } from '../../../src/clickhouse/errors.ts';
import type { QueryName } from '../../../src/clickhouse/client/queries.ts';
import { openTestClickHouse, toQueries, type TestClickHouse } from '../../support/clickhouse.ts';

const queries = toQueries({
  copy: `INSERT INTO events (id, name)
    SELECT rowNumberInAllBlocks(), name FROM (SELECT arrayJoin({names: Array(String)}) AS name)`,
  fail: 'INSERT INTO events (id) SELECT throwIf(number = 5) FROM numbers(10)',
});

let opened: TestClickHouse;
beforeAll(async () => {
  opened = await openTestClickHouse({}, { queries });
  await opened.command(`CREATE TABLE events (id UInt64, name String, at DateTime64(6, 'UTC'))
    ENGINE = MergeTree ORDER BY id`);
  await opened.command(`CREATE TABLE seen (rows UInt64, blocks UInt64) ENGINE = Memory`);
  await opened.command(`CREATE MATERIALIZED VIEW seeing TO seen AS
    SELECT count() AS rows, uniqExact(blockNumber()) AS blocks FROM events`);
});
afterAll(() => opened.close());
beforeEach(async () => {
  await opened.command('TRUNCATE TABLE events');
  await opened.command('TRUNCATE TABLE seen');
});

function toEvents(count: number, name = 'x'): object[] {
  return Array.from({ length: count }, (_, id) => ({ id, name, at: '2026-01-31 23:59:59.123456' }));
}

describe('an insert', () => {
  test('has stored its rows, and what views make of them, when it resolves', async () => {
    await opened.clickhouse.insert('events', toEvents(2));
    expect(await opened.query('SELECT * FROM events ORDER BY id')).toEqual([
      { id: '0', name: 'x', at: '2026-01-31 23:59:59.123456' },
      { id: '1', name: 'x', at: '2026-01-31 23:59:59.123456' },
    ]);
    expect(await opened.query('SELECT rows FROM seen')).toEqual([{ rows: '2' }]);
  });

  test('of 64 MiB is one block', async () => {
    const rows = toEvents(160_000, 'y'.repeat(400));
    await opened.clickhouse.insert('events', rows);
    expect(await opened.query('SELECT rows FROM seen')).toEqual([{ rows: '160000' }]);
    const parts = `SELECT count() AS parts, sum(rows) AS rows FROM system.parts
      WHERE database = currentDatabase() AND table = 'events' AND active`;
    expect(await opened.query(parts)).toEqual([{ parts: '1', rows: '160000' }]);
  });

  test('of more rows than ClickHouse puts into a block by itself is one block', async () => {
    await opened.clickhouse.insert('events', toEvents(1_200_000, ''));
    expect(await opened.query('SELECT rows FROM seen')).toEqual([{ rows: '1200000' }]);
  });

  test('of nothing is nothing', async () => {
    await opened.clickhouse.insert('events', []);
    expect(await opened.query('SELECT rows FROM seen')).toEqual([]);
  });

  test('keeps hostile text verbatim', async () => {
    const names = ["'", '"', '\\', '\0', '\t\r\n', '😀', '\u2028', '{"a":1}', '__proto__', ''];
    const rows = names.map((name, id) => ({ id, name }));
    await opened.clickhouse.insert('events', rows);
    expect(await opened.query('SELECT name FROM events ORDER BY id')).toEqual(
      names.map((name) => ({ name })),
    );
  });

  test.each([
    ['a column that is not there', { id: 3, other: 1 }],
    ['a number that is none', { id: 'three' }],
    ['a day that does not exist', { id: 3, at: '2026-02-30 00:00:00' }],
  ])('with %s stores none of its rows', async (_, row) => {
    const inserting = opened.clickhouse.insert('events', [...toEvents(100), row]);
    await expect(inserting).rejects.toThrow('insert_events failed in ClickHouse');
    expect(await opened.query('SELECT count() AS count FROM events')).toEqual([{ count: '0' }]);
  });

  test('that needs too much memory is refused as overload', async () => {
    const poor = await openTestClickHouse({ queryMemoryMb: 16 });
    await poor.command('CREATE TABLE events (name String) ENGINE = MergeTree ORDER BY name');
    const rows = Array.from({ length: 50_000 }, () => ({ name: 'z'.repeat(1_000) }));
    await expect(poor.clickhouse.insert('events', rows)).rejects.toThrow(ClickHouseOverloadedError);
    await poor.close();
  });

  test('into a table that is not there is a fault of ours', async () => {
    const inserting = opened.clickhouse.insert('no_such_table', [{ id: 1 }]);
    await expect(inserting).rejects.toHaveProperty('cause.type', 'UNKNOWN_TABLE');
  });
});

describe('a write', () => {
  const write = (name: string, parameters: Record<string, unknown>): Promise<void> =>
    opened.clickhouse.write(name as QueryName, parameters);

  test('has stored its rows, and what views make of them, when it resolves', async () => {
    await write('copy', { names: ["it's", 'two'] });
    expect(await opened.query('SELECT name FROM events ORDER BY name')).toEqual([
      { name: "it's" },
      { name: 'two' },
    ]);
    expect(await opened.query('SELECT rows FROM seen')).toEqual([{ rows: '2' }]);
  });

  test('may have 200,000 ids', async () => {
    await write('copy', { names: Array.from({ length: 200_000 }, () => randomUUID()) });
    const count = 'SELECT uniqExact(name) AS count FROM events';
    expect(await opened.query(count)).toEqual([{ count: '200000' }]);
  });

  test('whose parameters are missing, extra or undefined is refused', async () => {
    await expect(write('copy', {})).rejects.toThrow('Query copy: parameter names is missing.');
    await expect(write('copy', { names: [], a: 1 })).rejects.toThrow('there is no parameter a');
  });

  test('that fails is named and stores nothing', async () => {
    await expect(write('fail', {})).rejects.toThrow('fail failed in ClickHouse');
    expect(await opened.query('SELECT count() AS count FROM events')).toEqual([{ count: '0' }]);
  });
});
