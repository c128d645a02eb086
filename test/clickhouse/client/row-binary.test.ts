import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowBinary } from '../../../src/clickhouse/client/row-binary.ts';
import { openTestClickHouse } from '../../support/clickhouse/clickhouse.ts';
import { fixture } from '../../support/fixtures.ts';

const opened = fixture(async () => {
  const opened = await openTestClickHouse({}, { migrations: [] });
  await opened.command(`CREATE TABLE written (text String, kind Enum8('low' = 0, 'one' = 1, 'high' = 127),
    at Nullable(DateTime64(6, 'UTC')), number Nullable(Int64), last UInt64 DEFAULT 7) ENGINE = Memory`);
  return opened;
});

interface Row {
  readonly text: string;
  readonly kind: string;
  readonly at: string | null;
  readonly number: string | null;
  readonly last: string;
}

const kinds = { low: 0, one: 1, high: 127 } as const;

/** Inserts rows, one chunk per row, and reads them back. */
async function roundTrip(rows: readonly Row[]): Promise<Row[]> {
  const writer = new RowBinary();
  const chunks = rows.map(({ text, kind, at, number }) => {
    writer.string(text);
    writer.uint8(kinds[kind as keyof typeof kinds]);
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
)('a string of %s, repeated %d times, is stored unchanged', async (character, length) => {
  const rows = [row({ text: character.repeat(length) }), row({ text: 'next' })];
  expect(await roundTrip(rows)).toEqual(rows);
});

test('an unpaired surrogate is stored as U+FFFD', async () => {
  const found = await roundTrip([row({ text: 'a\ud800b' }), row({ text: '\udc00' })]);
  expect(found.map(({ text }) => text)).toEqual(['a\ufffdb', '\ufffd']);
});

test('times from 1900 to 2299 are stored to the microsecond', async () => {
  const times = [
    ...['1900-01-01 00:00:00.000000', '1969-12-31 23:59:59.999999', '1970-01-01 00:00:00.000000'],
    ...['1969-12-31 23:59:59.000001', '2026-02-28 12:34:56.123456', '2299-12-31 23:59:59.999999'],
  ];
  const rows = times.map((at) => row({ at }));
  expect(await roundTrip(rows)).toEqual(rows);
});

test('integers up to the safe limits of JSON are stored exactly', async () => {
  const numbers = [0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
  const rows = numbers.map((number) => row({ number: String(number) }));
  expect(await roundTrip(rows)).toEqual(rows);
});

test('an enum value is stored by its number', async () => {
  const rows = Object.keys(kinds).map((kind) => row({ kind }));
  expect(await roundTrip(rows)).toEqual(rows);
});

test('random rows are stored unchanged', async () => {
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

test('an incomplete row fails the insert, which then stores nothing', async () => {
  const writer = new RowBinary();
  writer.string('only a string');
  const chunks = [writer.take()];
  await opened.command('TRUNCATE TABLE written');
  const inserting = opened.clickhouse.insertBinary('written', ['text', 'number'], chunks);
  await expect(inserting).rejects.toThrow('insert_written failed in ClickHouse');
  expect(await opened.query('SELECT * FROM written')).toEqual([]);
});
