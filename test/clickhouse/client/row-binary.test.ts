import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RowBinary } from '../../../src/clickhouse/client/row-binary.ts';
import { openTestClickHouse, type TestClickHouse } from '../../support/clickhouse.ts';

let opened: TestClickHouse;
beforeAll(async () => {
  opened = await openTestClickHouse({}, { migrations: [] });
  await opened.command(`CREATE TABLE written (text String, kind Enum8('low' = -128, 'one' = 1, 'high' = 127),
    at Nullable(DateTime64(6, 'UTC')), number Nullable(Int64), last UInt64 DEFAULT 7) ENGINE = Memory`);
});
afterAll(() => opened.close());

interface Row {
  readonly text: string;
  readonly kind: string;
  readonly at: string | null;
  readonly number: string | null;
  readonly last: string;
}

const kinds = { low: -128, one: 1, high: 127 } as const;

/** Writes rows, in as many pieces as there are rows, and reads them back. */
async function roundTrip(rows: readonly Row[]): Promise<Row[]> {
  const writer = new RowBinary();
  const chunks = rows.map(({ text, kind, at, number }) => {
    writer.string(text);
    writer.enum8(kinds[kind as keyof typeof kinds]);
    writer.nullableTime(at);
    writer.nullableInt64(number === null ? null : Number(number));
    return writer.take();
  });
  await opened.command('TRUNCATE TABLE written');
  await opened.clickhouse.insertBinary('written', ['text', 'kind', 'at', 'number'], chunks);
  return await opened.query<Row>('SELECT * FROM written');
}

const row = (changes: Partial<Row>): Row => ({
  ...{ text: '', kind: 'one', at: null, number: null, last: '7' },
  ...changes,
});

test.each(
  [0, 1, 39, 40, 41, 42, 63, 64, 127, 128, 129, 16_383, 16_384, 70_000, 3_000_000].flatMap(
    (length) => [
      ['a', length],
      ['é', length],
      ['\u{1f600}', length],
    ],
  ),
)('a string of %s, %d times, arrives as it is', async (character, length) => {
  const rows = [row({ text: character.repeat(length) }), row({ text: 'behind' })];
  expect(await roundTrip(rows)).toEqual(rows);
});

test('half of a surrogate pair becomes U+FFFD', async () => {
  const found = await roundTrip([row({ text: 'a\ud800b' }), row({ text: '\udc00' })]);
  expect(found.map(({ text }) => text)).toEqual(['a\ufffdb', '\ufffd']);
});

test('times of all years that are taken arrive to the microsecond', async () => {
  const times = [
    ...['1900-01-01 00:00:00.000000', '1969-12-31 23:59:59.999999', '1970-01-01 00:00:00.000000'],
    ...['1969-12-31 23:59:59.000001', '2026-02-28 12:34:56.123456', '2299-12-31 23:59:59.999999'],
  ];
  const rows = times.map((at) => row({ at }));
  expect(await roundTrip(rows)).toEqual(rows);
});

test('whole numbers arrive, the least and the greatest that JSON holds exactly too', async () => {
  const numbers = [0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  const rows = numbers.map((number) => row({ number: String(number) }));
  expect(await roundTrip(rows)).toEqual(rows);
});

test('an enum arrives by its number', async () => {
  const rows = Object.keys(kinds).map((kind) => row({ kind }));
  expect(await roundTrip(rows)).toEqual(rows);
});

test('any rows arrive as they are', async () => {
  const texts = fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(texts, async (written) => {
      const rows = written.map((text, index) => row({ text, number: String(index) }));
      const found = rows.length === 0 ? [] : await roundTrip(rows);
      expect(found.toSorted((a, b) => Number(a.number) - Number(b.number))).toEqual(rows);
    }),
    { numRuns: 30 },
  );
});

test('rows that end early are refused, and none of them is stored', async () => {
  const writer = new RowBinary();
  writer.string('only a string');
  const chunks = [writer.take()];
  await opened.command('TRUNCATE TABLE written');
  const inserting = opened.clickhouse.insertBinary('written', ['text', 'number'], chunks);
  await expect(inserting).rejects.toThrow('insert_written failed in ClickHouse');
  expect(await opened.query('SELECT * FROM written')).toEqual([]);
});
