import { randomUUID } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import {
  ClickHouseOverloadedError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../../../src/clickhouse/errors.ts';
import { openTestClickHouse, readRows, toQueries } from '../../support/clickhouse/clickhouse.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const queries = toQueries({
  echo: 'SELECT {text: String} AS text, {texts: Array(String)} AS texts',
  count: `SELECT length({ids: Array(String)}) AS length,
      (SELECT uniqExact(id) FROM (SELECT arrayJoin({ids: Array(String)}) AS id)) AS different`,
  member: 'SELECT {id: String} IN {ids: Array(String)} AS is_member',
  types: `SELECT toUInt64('18446744073709551615') AS largest, toInt64(-5) AS negative,
      toUInt128('340282366920938463463374607431768211455') AS wide,
      toDecimal128('0.000000125', 12) AS price, [toUInt64(7)] AS list,
      CAST((8, 'x'), 'Tuple(count UInt64, name String)') AS pair, toUInt32(3) AS small,
      CAST(NULL, 'Nullable(UInt64)') AS nothing, 'é😀' AS text,
      toDateTime('2026-01-31 23:59:59') AS time, timezone() AS zone`,
  numbers: 'SELECT number FROM numbers({rows: UInt64})',
  endless: 'SELECT sum(number) AS sum FROM system.numbers',
  sleeping: 'SELECT sleepEachRow(0.1) AS slept FROM system.numbers SETTINGS max_block_size = 1',
  greedy: 'SELECT length(groupArray(number)) AS length FROM numbers(1000000000)',
  late: 'SELECT throwIf(number = 500000) AS thrown FROM numbers(900000)',
  wrong: 'SELECT no_such_column',
  writing: 'INSERT INTO schema_migrations (name) SELECT {text: String}',
});

const opened = clickhouseFixture({}, { queries });

async function countRunning(name: string): Promise<number> {
  const sql = `SELECT count() AS count FROM system.processes
    WHERE current_database = {database: String} AND Settings['log_comment'] = {name: String}`;
  const [row] = await opened.query<{ count: string }>(sql, { database: opened.database, name });
  return Number(row?.count);
}

describe('query parameters', () => {
  const hostile = [
    ...[
      "it's",
      '"',
      '`',
      '\\',
      '\\\\',
      "\\'",
      '\t',
      '\n',
      '\r',
      '\r\n',
      '\0',
      'a\0b',
      '\b\f\v\x1b\x7f',
    ],
    ...[
      '😀',
      'é',
      '\u2028',
      '\uFEFF',
      '',
      ' ',
      '\\N',
      'NULL',
      '\\0',
      '\\x41',
      '%41+&=',
      '{a: String}',
    ],
    ...["'); DROP TABLE x; --", "['a','b']", '--boundary', '__proto__', '/* */', '$$', '0', 'true'],
  ];

  test.each(hostile)('arrive in ClickHouse unchanged: %j', async (text) => {
    const [row] = await readRows(opened.clickhouse, 'echo', { text, texts: [text, 'and'] });
    expect(row).toEqual({ text, texts: [text, 'and'] });
  });

  test('arrive in ClickHouse unchanged when they are too long for a URL', async () => {
    const texts = [...hostile, ...Array.from({ length: 5_000 }, () => randomUUID()), ...hostile];
    const text = hostile.join('x').repeat(2_000);
    const [row] = await readRows(opened.clickhouse, 'echo', { text, texts });
    expect(row).toEqual({ text, texts });
  });

  test('arrive unchanged, and so do the rows, where requests and responses are compressed', async () => {
    const compressed = await openTestClickHouse({ clickhouseCompression: true }, { queries });
    for (const texts of [hostile, Array.from({ length: 5_000 }, () => randomUUID())]) {
      const [row] = await readRows(compressed.clickhouse, 'echo', { text: '', texts });
      expect(row).toEqual({ text: '', texts });
    }
    await compressed.close();
  });

  test('may be 200,000 ids', async () => {
    const ids = Array.from({ length: 200_000 }, () => randomUUID());
    const rows = await readRows(opened.clickhouse, 'count', { ids });
    expect(rows).toEqual([{ length: '200000', different: '200000' }]);
    expect(await readRows(opened.clickhouse, 'member', { id: ids[199_999], ids })).toEqual([
      { is_member: 1 },
    ]);
    expect(await readRows(opened.clickhouse, 'member', { id: 'other', ids })).toEqual([
      { is_member: 0 },
    ]);
  });

  test('may be one id of 1 MB', async () => {
    const texts = ['a', 'é'.repeat(500_000), 'b'];
    const [row] = await readRows(opened.clickhouse, 'echo', { text: '', texts });
    expect(row).toEqual({ text: '', texts });
  });

  test('that are missing, unknown or undefined are refused', async () => {
    const read = (parameters: object): Promise<unknown> =>
      readRows(opened.clickhouse, 'echo', parameters as Record<string, unknown>);
    await expect(read({ text: '' })).rejects.toThrow('Query echo: parameter texts is missing.');
    await expect(read({ text: '', texts: [], id: '' })).rejects.toThrow('unknown parameter id');
    await expect(read({ text: undefined, texts: [] })).rejects.toThrow(TypeError);
  });
});

describe('result rows', () => {
  test('contain 64-bit integers and decimals as exact text and times in UTC', async () => {
    expect(await readRows(opened.clickhouse, 'types')).toEqual([
      {
        largest: '18446744073709551615',
        negative: '-5',
        wide: '340282366920938463463374607431768211455',
        price: '0.000000125',
        list: ['7'],
        pair: { count: '8', name: 'x' },
        small: 3,
        nothing: null,
        text: 'é😀',
        time: '2026-01-31 23:59:59',
        zone: 'UTC',
      },
    ]);
  });

  test('may be a million', async () => {
    expect(await readRows(opened.clickhouse, 'numbers', { rows: 1_000_000 })).toHaveLength(
      1_000_000,
    );
  });

  test('that exceed the limit of rows fail the query', async () => {
    const reading = readRows(opened.clickhouse, 'numbers', { rows: 1_000_001 });
    await expect(reading).rejects.toThrow(ResultTooLargeError);
  });

  test('that exceed the limit of bytes fail the query', async () => {
    const limited = await openTestClickHouse({ queryResultMb: 1 }, { queries });
    const reading = readRows(limited.clickhouse, 'numbers', { rows: 200_000 });
    await expect(reading).rejects.toThrow(ResultTooLargeError);
    await limited.close();
  });

  test('are not returned when the query fails after the first of them', async () => {
    await expect(readRows(opened.clickhouse, 'late')).rejects.toThrow('late failed in ClickHouse');
  });
});

describe('query limits', () => {
  test('a query that exceeds its time limit fails with QueryTimeoutError', async () => {
    const limited = await openTestClickHouse({ queryTimeoutMs: 200 }, { queries });
    await expect(readRows(limited.clickhouse, 'endless')).rejects.toThrow(QueryTimeoutError);
    await limited.close();
  });

  test('a request that exceeds its deadline fails, and its query is cancelled in ClickHouse', async () => {
    const limited = await openTestClickHouse({ clickhouseTimeoutMs: 500 }, { queries });
    await expect(readRows(limited.clickhouse, 'endless')).rejects.toThrow(QueryTimeoutError);
    const count = `SELECT count() AS count FROM system.processes WHERE current_database = currentDatabase()
      AND Settings['log_comment'] = 'endless'`;
    await expect.poll(() => limited.query(count)).toEqual([{ count: '0' }]);
    await limited.close();
  });

  test('a query that exceeds its memory limit fails with ClickHouseOverloadedError', async () => {
    const limited = await openTestClickHouse({ queryMemoryMb: 64 }, { queries });
    await expect(readRows(limited.clickhouse, 'greedy')).rejects.toThrow(ClickHouseOverloadedError);
    await limited.close();
  });

  test('requests beyond the queue of the connection pool are refused, the others succeed', async () => {
    const limited = await openTestClickHouse({ clickhouseMaxOpenConnections: 2 }, { queries });
    const answers = await Promise.allSettled(
      Array.from({ length: 30 }, () => readRows(limited.clickhouse, 'numbers', { rows: 1 })),
    );
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(8);
    for (const each of refused)
      expect(each).toHaveProperty('reason.name', 'ClickHouseOverloadedError');
    await limited.close();
  });

  test('a query cannot write', async () => {
    const writing = readRows(opened.clickhouse, 'writing', { text: '' });
    await expect(writing).rejects.toHaveProperty('cause.type', 'READONLY');
  });

  test('any other failure names the query and carries the error of ClickHouse as its cause', async () => {
    const failing = readRows(opened.clickhouse, 'wrong');
    await expect(failing).rejects.toThrow('wrong failed in ClickHouse');
    await expect(failing).rejects.toHaveProperty('cause.type', 'UNKNOWN_IDENTIFIER');
  });
});

describe('an abort signal', () => {
  test.each(['endless', 'sleeping'])('cancels the query in ClickHouse: %s', async (name) => {
    const controller = new AbortController();
    const reading = readRows(opened.clickhouse, name, {}, { signal: controller.signal });
    const rejected = expect(reading).rejects.toThrow('client disconnected');
    await expect.poll(() => countRunning(name)).toBe(1);
    controller.abort(new Error('client disconnected'));
    await rejected;
    await expect.poll(() => countRunning(name)).toBe(0);
  });

  test('that has already aborted sends nothing', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(readRows(opened.clickhouse, 'endless', {}, { signal })).rejects.toThrow(
      'too late',
    );
    expect(await countRunning('endless')).toBe(0);
  });

  test('that aborts after the result has no effect', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    expect(await readRows(opened.clickhouse, 'numbers', { rows: 2 }, { signal })).toHaveLength(2);
    controller.abort();
    expect(await readRows(opened.clickhouse, 'numbers', { rows: 2 })).toHaveLength(2);
  });
});

test('queries run concurrently', async () => {
  const controller = new AbortController();
  const reading = readRows(opened.clickhouse, 'sleeping', {}, { signal: controller.signal });
  const rejected = expect(reading).rejects.toThrow();
  await expect.poll(() => countRunning('sleeping')).toBe(1);
  expect(await readRows(opened.clickhouse, 'numbers', { rows: 2 })).toHaveLength(2);
  expect(await countRunning('sleeping')).toBe(1);
  controller.abort();
  await rejected;
});
