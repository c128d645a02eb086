import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toDateTime64 } from '../../../src/clickhouse/client/date-time64.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

describe('an ISO 8601 time', () => {
  test.each([
    ['2026-01-31T23:59:59Z', '2026-01-31 23:59:59.000000'],
    ['2026-01-31T23:59:59.1Z', '2026-01-31 23:59:59.100000'],
    ['2026-01-31T23:59:59.123456Z', '2026-01-31 23:59:59.123456'],
    // Digits after the microseconds are truncated: rounding would give the next second, and the next day.
    ['2026-01-31T23:59:59.999999999Z', '2026-01-31 23:59:59.999999'],
    ['2026-01-31t23:59:59z', '2026-01-31 23:59:59.000000'],
    ['2026-01-31 23:59:59Z', '2026-01-31 23:59:59.000000'],
    // 23:30 two hours ahead of UTC is 21:30 UTC; two hours behind it is 01:30 of the next day and month.
    ['2026-01-31T23:30:00+02:00', '2026-01-31 21:30:00.000000'],
    ['2026-01-31T23:30:00-02:00', '2026-02-01 01:30:00.000000'],
    ['2026-01-31T23:30:00+0530', '2026-01-31 18:00:00.000000'],
    ['2026-01-31T23:30:00-00:00', '2026-01-31 23:30:00.000000'],
    // The offset does not change the fraction.
    ['2026-01-01T00:00:00.000001+00:01', '2025-12-31 23:59:00.000001'],
    ['2024-02-29T00:00:00Z', '2024-02-29 00:00:00.000000'],
    ['1900-01-01T00:00:00Z', '1900-01-01 00:00:00.000000'],
    ['2299-12-31T23:59:59.999999Z', '2299-12-31 23:59:59.999999'],
  ])('is converted to UTC: %s to %s', (text, expected) => {
    expect(toDateTime64(text)).toBe(expected);
  });

  test.each([
    ['a day that does not exist', '2026-02-30T00:00:00Z'],
    ['the 29th of February in a year without one', '2100-02-29T00:00:00Z'],
    ['a month that does not exist', '2026-13-01T00:00:00Z'],
    ['day 0', '2026-01-00T00:00:00Z'],
    ['hour 24', '2026-01-31T24:00:00Z'],
    ['minute 60', '2026-01-31T23:60:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['no zone', '2026-01-31T23:59:59'],
    ['a zone with a name', '2026-01-31T23:59:59 UTC'],
    ['an offset of a day', '2026-01-31T23:59:59+24:00'],
    ['an offset with 60 minutes', '2026-01-31T23:59:59+01:60'],
    ['an offset of hours alone', '2026-01-31T23:59:59+01'],
    ['no seconds', '2026-01-31T23:59Z'],
    ['no time', '2026-01-31'],
    ['a dot without digits', '2026-01-31T23:59:59.Z'],
    ['a comma', '2026-01-31T23:59:59,5Z'],
    ['a year of five digits', '12026-01-31T23:59:59Z'],
    ['a year with a sign', '+002026-01-31T23:59:59Z'],
    ['digits of another script', '２０２６-01-31T23:59:59Z'],
    ['a leading space', ' 2026-01-31T23:59:59Z'],
    ['a trailing line break', '2026-01-31T23:59:59Z\n'],
    ['a number', '1769904000'],
    ['nothing', ''],
    ['a year before 1900', '1899-12-31T23:59:59Z'],
    ['a year before 1900 in UTC', '1900-01-01T00:59:59+01:00'],
    ['a year after 2299', '2300-01-01T00:00:00Z'],
    ['a year after 2299 in UTC', '2299-12-31T23:00:00-01:00'],
  ])('with %s is refused: %j', (_, text) => {
    expect(toDateTime64(text)).toBeUndefined();
  });
});

/** A time in the accepted range with a random offset, and its microseconds since 1970. */
const moment = fc
  .record({
    milliseconds: fc.integer({ min: Date.UTC(1900, 0, 2), max: Date.UTC(2299, 11, 30) }),
    microseconds: fc.integer({ min: 0, max: 999 }),
    offsetMinutes: fc.integer({ min: -(23 * 60 + 59), max: 23 * 60 + 59 }),
    colon: fc.constantFrom(':', ''),
    separator: fc.constantFrom('T', 't', ' '),
  })
  .map(({ milliseconds, microseconds, offsetMinutes, colon, separator }) => {
    const local = new Date(milliseconds + offsetMinutes * 60_000).toISOString();
    const offset = Math.abs(offsetMinutes);
    const hours = pad(Math.floor(offset / 60), 2);
    const zone = `${offsetMinutes < 0 ? '-' : '+'}${hours}${colon}${pad(offset % 60, 2)}`;
    const [date = '', time = ''] = local.slice(0, -1).split('T');
    return {
      text: `${date}${separator}${time}${pad(microseconds, 3)}${zone}`,
      microseconds: BigInt(milliseconds) * 1000n + BigInt(microseconds),
    };
  });

function pad(number: number, length: number): string {
  return String(number).padStart(length, '0');
}

/** Microseconds since 1970 of a time in ClickHouse's format. */
function toMicroseconds(time: string | undefined): bigint {
  const [, seconds = '', fraction = ''] = /^(.{19})\.(\d{6})$/.exec(time ?? '') ?? [];
  return BigInt(Date.parse(`${seconds.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction);
}

test('random times with any offset are converted exactly to the microsecond', () => {
  fc.assert(
    fc.property(moment, ({ text, microseconds }) => {
      expect(toMicroseconds(toDateTime64(text))).toBe(microseconds);
    }),
    { numRuns: 2_000 },
  );
});

test('random text is refused unless Date parses it to the same time', () => {
  const digit = fc.nat({ max: 9 });
  const nearly = fc
    .tuple(fc.array(digit, { minLength: 14, maxLength: 14 }), fc.constantFrom('Z', '+01:00', ''))
    .map(([digits, zone]) => {
      const [year, month, day, hour, minute, second] = digits.join('').match(/^.{4}|..?/g) ?? [];
      return `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}${zone}`;
    });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), nearly), (text) => {
      const time = toDateTime64(text);
      if (time !== undefined) {
        expect(toMicroseconds(time)).toBe(BigInt(Date.parse(text)) * 1000n);
      }
    }),
    { numRuns: 2_000 },
  );
});

describe('a converted time', () => {
  const opened = clickhouseFixture();

  test('is stored by ClickHouse as the same time', async () => {
    await opened.command(
      `CREATE TABLE moments (number UInt32, at DateTime64(6, 'UTC')) ENGINE = Memory`,
    );
    const ends = [Date.UTC(1900, 0, 1), Date.UTC(2299, 11, 31, 23, 59, 59)].map((milliseconds) => ({
      text: new Date(milliseconds).toISOString(),
      microseconds: BigInt(milliseconds) * 1000n,
    }));
    const moments = [...ends, ...fc.sample(moment, 500)];
    const rows = moments.map(({ text }, number) => ({ number, at: toDateTime64(text) }));
    await opened.insert('moments', rows);
    const stored = await opened.query<{ microseconds: string }>(
      'SELECT toUnixTimestamp64Micro(at) AS microseconds FROM moments ORDER BY number',
    );
    expect(stored.map(({ microseconds }) => BigInt(microseconds))).toEqual(
      moments.map(({ microseconds }) => microseconds),
    );
  });
});
