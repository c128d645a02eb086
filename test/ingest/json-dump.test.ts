import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toDump } from '../../src/ingest/json-dump.ts';
import { openTestClickHouse } from '../support/clickhouse/clickhouse.ts';
import { fixture } from '../support/fixtures.ts';

const database = fixture(async () => {
  const opened = await openTestClickHouse();
  await opened.command('CREATE TABLE dumps (number UInt32, text String) ENGINE = Memory');
  return opened;
});

/** Returns the texts that ClickHouse cannot parse as JSON. */
async function findUnparsable(texts: readonly string[]): Promise<string[]> {
  await database.command('TRUNCATE TABLE dumps');
  await database.insert(
    'dumps',
    texts.map((text, number) => ({ number, text })),
  );
  const rows = await database.query<{ number: number }>(
    'SELECT number FROM dumps WHERE NOT isValidJSON(text) ORDER BY number',
  );
  return rows.map(({ number }) => texts[number]!);
}

/** Numbers whose digits JSON.stringify writes in full, and others. */
const numbers = [
  0,
  -1,
  1.5,
  9007199254740993,
  ...[1e17, 1e18, -1e18, 2 ** 63, -(2 ** 63), 2 ** 64, 12345678901234567890, 1e20, -1e20],
  ...[1e21, -1e21, 1e300, Number.MAX_VALUE, 5e-324],
  // Fractions of 19 digits and more are not long integers.
  ...[0.0012345678901234567, -0.000001234567890123456, 0.1234567890123456, 1.2345678901234567e-7],
];

test('ClickHouse parses the dump of values whose JSON.stringify text it refuses', async () => {
  const values = [{ n: 2 ** 64 }, { n: [-1e20] }, 'half \ud800', { '\udc00': 1 }];
  const plain = values.map((value) => JSON.stringify(value));
  expect(await findUnparsable(plain)).toEqual(plain);
  expect(await findUnparsable(values.map(toDump))).toEqual([]);
});

describe('a number', () => {
  test.each(numbers)('keeps its value, and ClickHouse parses it: %d', async (number) => {
    const dumps = [number, [number, number], { [String(number)]: { a: number } }].map(toDump);
    expect(dumps.map((dump) => JSON.parse(dump) as unknown)).toEqual([
      number,
      [number, number],
      { [String(number)]: { a: number } },
    ]);
    expect(await findUnparsable(dumps)).toEqual([]);
  });

  test('with 19 digits gets a decimal point, and other numbers do not', () => {
    expect(toDump([1, 2 ** 63, 0.0012345678901234567, 2])).toBe(
      '[1,9223372036854776000.0,0.0012345678901234567,2]',
    );
  });

  test('with fewer digits is written as JSON.stringify writes it', () => {
    expect(toDump({ n: 123456789012345680 })).toBe('{"n":123456789012345680}');
  });
});

describe('a string', () => {
  const digits = '12345678901234567890';

  test.each([
    digits,
    `-${digits}`,
    `{"n":${digits}}`,
    `"${digits}"`,
    `\\"${digits}`,
    `\\\\"${digits}\\`,
    `${digits}.0`,
    '\\ud800',
    '\\\\ud800',
    '"\\ud800"',
    '\u{1f600}',
    '\u0000\u001f"\\/\b\f\n\r\t',
  ])('that looks like a long integer or an escape is not changed: %j', async (text) => {
    const dump = toDump({ a: text, [text]: 2 ** 64, b: '\ud800' });
    expect(JSON.parse(dump)).toEqual({ a: text, [text]: 2 ** 64, b: '\ufffd' });
    expect(await findUnparsable([dump])).toEqual([]);
  });

  test.each([
    ['\ud800', '\ufffd'],
    ['\udfff', '\ufffd'],
    ['\udc00\ud800', '\ufffd\ufffd'],
    ['a\ud83db', 'a\ufffdb'],
    ['\ud83d\ude00\ud83d', '\u{1f600}\ufffd'],
    ['\\\ud800', '\\\ufffd'],
  ])('with a lone surrogate gets U+FFFD in its place: %j', async (text, expected) => {
    const dump = toDump({ [text]: [text] });
    expect(JSON.parse(dump)).toEqual({ [expected]: [expected] });
    expect(await findUnparsable([dump])).toEqual([]);
  });

  test.each([
    ['letters', 'x'],
    ['escaped quotes', '"'],
    ['backslashes', '\\'],
    ['line breaks', '\n'],
  ])('of 20 MB of %s may be in a value with a long integer', (_, character) => {
    const text = character.repeat(20_000_000);
    const dump = toDump({ text, n: 2 ** 64 });
    expect(dump.endsWith('","n":18446744073709552000.0}')).toBe(true);
    expect(dump.startsWith(`{"text":${JSON.stringify(text)}`)).toBe(true);
  });
});

test('any JSON keeps its value, and ClickHouse parses it', async () => {
  const key = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.constantFrom('__proto__', '\ud800', '"'),
  );
  const leaf = fc.oneof(
    fc.constantFrom(null, true, false, ...numbers),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.double({ min: 1e-7, max: 1 }),
    fc.bigInt({ min: 0n, max: 10n ** 22n }).map(Number),
    key,
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('json'), { maxLength: 5 }),
      fc.dictionary(key, tie('json'), { maxKeys: 5 }),
    ),
  }));
  const values = fc.sample(json, 1_000);
  const dumps = values.map(toDump);
  dumps.forEach((dump, index) => {
    // JSON has no -0.
    const written = JSON.parse(JSON.stringify(values[index])) as unknown;
    expect(JSON.stringify(JSON.parse(dump))).toBe(JSON.stringify(wellFormed(written)));
  });
  expect(await findUnparsable(dumps)).toEqual([]);
});

/** Replaces lone surrogates by U+FFFD; of names that become equal, the last one remains. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\p{Surrogate}/gu, '\ufffd');
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, each]) => [wellFormed(name), wellFormed(each)]);
  return Object.fromEntries(entries) as unknown;
}
