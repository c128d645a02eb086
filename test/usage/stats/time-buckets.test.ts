import { expect, test } from 'vitest';
import { runInSlices } from '../../../src/slices/run-in-slices.ts';
import {
  chooseBucketSize,
  maxBuckets,
  TooManyBucketsError,
  toTimeBuckets,
} from '../../../src/usage/stats/time-buckets.ts';

const hour = 3_600;
const day = 24 * hour;

function toUs(time: string): bigint {
  return BigInt(Date.parse(time)) * 1_000n;
}

async function bucketsOf(
  timeZone: string,
  sizeS: number,
  start: string,
  end: string,
): Promise<string[]> {
  const window = { startUs: toUs(start), endUs: toUs(end) };
  const buckets = await runInSlices(toTimeBuckets(window, sizeS, timeZone));
  return buckets.map(({ startS, timestamp }) => {
    const zoned = timeZone === 'UTC' ? `${timestamp}Z` : timestamp;
    expect(Date.parse(zoned), timestamp).toBe(startS * 1_000);
    return timestamp;
  });
}

/** The real lengths of all buckets but the last one, in hours. */
function lengthsOf(timestamps: readonly string[]): number[] {
  const times = timestamps.map((timestamp) => Date.parse(timestamp));
  return times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1_000 / hour);
}

test('buckets of UTC have no offset, and the first one may start before the window', async () => {
  const buckets = await bucketsOf('UTC', hour, '2026-03-01T10:30:00Z', '2026-03-01T12:00:00Z');
  expect(buckets).toEqual(['2026-03-01T10:00:00', '2026-03-01T11:00:00']);
});

test('days begin at local midnight, also where the offset is half an hour', async () => {
  const buckets = await bucketsOf(
    'Asia/Kolkata',
    day,
    '2026-03-01T00:00:00Z',
    '2026-03-02T00:00:00Z',
  );
  expect(buckets).toEqual(['2026-03-01T00:00:00+05:30', '2026-03-02T00:00:00+05:30']);
});

test('hours begin at full hours of local time, where the offset is 45 minutes', async () => {
  const buckets = await bucketsOf(
    'Asia/Kathmandu',
    hour,
    '2026-03-01T00:00:00Z',
    '2026-03-01T01:00:00Z',
  );
  expect(buckets).toEqual(['2026-03-01T05:00:00+05:45', '2026-03-01T06:00:00+05:45']);
});

test('the day on which clocks are put back has 25 hours', async () => {
  const days = await bucketsOf(
    'America/New_York',
    day,
    '2026-11-01T04:00:00Z',
    '2026-11-03T05:00:00Z',
  );
  expect(days).toEqual(['2026-11-01T00:00:00-04:00', '2026-11-02T00:00:00-05:00']);
  expect(lengthsOf(days)).toEqual([25]);
  const hours = await bucketsOf(
    'America/New_York',
    hour,
    '2026-11-01T04:00:00Z',
    '2026-11-02T05:00:00Z',
  );
  expect(hours).toHaveLength(25);
  expect(hours.slice(1, 3)).toEqual(['2026-11-01T01:00:00-04:00', '2026-11-01T01:00:00-05:00']);
});

test('the day on which clocks are put forward has 23 hours', async () => {
  const days = await bucketsOf(
    'Europe/Berlin',
    day,
    '2026-03-28T23:00:00Z',
    '2026-03-30T12:00:00Z',
  );
  expect(days).toEqual(['2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00']);
  expect(lengthsOf(days)).toEqual([23]);
  const hours = await bucketsOf(
    'Europe/Berlin',
    hour,
    '2026-03-28T23:00:00Z',
    '2026-03-29T22:00:00Z',
  );
  expect(hours).toHaveLength(23);
  expect(hours.slice(1, 3)).toEqual(['2026-03-29T01:00:00+01:00', '2026-03-29T03:00:00+02:00']);
});

test('a bucket longer than the change contains the hour that is repeated or skipped', async () => {
  const back = await bucketsOf(
    'Europe/Berlin',
    2 * hour,
    '2026-10-24T22:00:00Z',
    '2026-10-25T05:00:00Z',
  );
  expect(back).toEqual([
    '2026-10-25T00:00:00+02:00',
    '2026-10-25T02:00:00+02:00',
    '2026-10-25T04:00:00+01:00',
  ]);
  expect(lengthsOf(back)).toEqual([2, 3]);
  const forward = await bucketsOf(
    'Europe/Berlin',
    2 * hour,
    '2026-03-28T23:00:00Z',
    '2026-03-29T04:00:00Z',
  );
  expect(forward).toEqual([
    '2026-03-29T00:00:00+01:00',
    '2026-03-29T03:00:00+02:00',
    '2026-03-29T04:00:00+02:00',
  ]);
});

test('a window that starts in the repeated hour starts in the right bucket', async () => {
  const first = await bucketsOf(
    'America/New_York',
    hour,
    '2026-11-01T05:30:00Z',
    '2026-11-01T05:31:00Z',
  );
  const second = await bucketsOf(
    'America/New_York',
    hour,
    '2026-11-01T06:30:00Z',
    '2026-11-01T06:31:00Z',
  );
  expect(first).toEqual(['2026-11-01T01:00:00-04:00']);
  expect(second).toEqual(['2026-11-01T01:00:00-05:00']);
  const whole = await bucketsOf(
    'America/New_York',
    6 * hour,
    '2026-11-01T06:30:00Z',
    '2026-11-01T06:31:00Z',
  );
  expect(whole).toEqual(['2026-11-01T00:00:00-04:00']);
});

test('a day that does not begin at midnight begins with the change of clocks', async () => {
  // Egypt puts clocks forward at midnight.
  const buckets = await bucketsOf(
    'Africa/Cairo',
    day,
    '2026-04-22T22:00:00Z',
    '2026-04-24T12:00:00Z',
  );
  expect(buckets).toEqual(['2026-04-23T00:00:00+02:00', '2026-04-24T01:00:00+03:00']);
});

test('a day that a country has skipped has no bucket', async () => {
  // Samoa went to the other side of the date line.
  const buckets = await bucketsOf(
    'Pacific/Apia',
    day,
    '2011-12-29T12:00:00Z',
    '2011-12-31T09:00:00Z',
  );
  expect(buckets).toEqual(['2011-12-29T00:00:00-10:00', '2011-12-31T00:00:00+14:00']);
});

test('a change of half an hour repeats buckets of half an hour only', async () => {
  const window = ['2026-04-04T14:00:00Z', '2026-04-04T16:00:00Z'] as const;
  expect(await bucketsOf('Australia/Lord_Howe', 1_800, ...window)).toEqual([
    '2026-04-05T01:00:00+11:00',
    '2026-04-05T01:30:00+11:00',
    '2026-04-05T01:30:00+10:30',
    '2026-04-05T02:00:00+10:30',
  ]);
  expect(await bucketsOf('Australia/Lord_Howe', hour, ...window)).toEqual([
    '2026-04-05T01:00:00+11:00',
    '2026-04-05T02:00:00+10:30',
  ]);
});

test('times before 1970 and offsets with seconds are in buckets, too', async () => {
  const buckets = await bucketsOf('UTC', hour, '1969-12-31T23:30:00.000Z', '1970-01-01T00:30:00Z');
  expect(buckets).toEqual(['1969-12-31T23:00:00', '1970-01-01T00:00:00']);
  const window = { startUs: toUs('1901-01-01T00:00:00Z'), endUs: toUs('1901-01-01T00:00:01Z') };
  const [old] = await runInSlices(toTimeBuckets(window, day, 'Europe/Amsterdam'));
  expect(old?.timestamp).toMatch(/^1901-01-01T00:00:00\+00:\d\d(:\d\d)?$/);
});

test('an empty window has the bucket of its start', async () => {
  const time = '2026-03-01T10:30:00Z';
  expect(await bucketsOf('UTC', hour, time, time)).toEqual(['2026-03-01T10:00:00']);
});

test('more buckets than the maximum are refused, whether they are few or millions more', async () => {
  const start = '2026-01-01T00:00:00Z';
  const endOf = (buckets: number): string =>
    new Date(Date.parse(start) + buckets * 1_000).toISOString();
  expect(await bucketsOf('UTC', 1, start, endOf(maxBuckets))).toHaveLength(maxBuckets);
  for (const more of [1, 2, 10_000_000]) {
    const buckets = bucketsOf('UTC', 1, start, endOf(maxBuckets + more));
    await expect(buckets).rejects.toThrow(TooManyBucketsError);
  }
});

test('the length of buckets follows that of the window, and there are never too many', async () => {
  const start = toUs('1900-01-01T00:00:00Z');
  const sizeOf = (spanS: number): number =>
    chooseBucketSize({ startUs: start, endUs: start + BigInt(spanS) * 1_000_000n });
  expect([2 * hour, 12 * hour, 3 * day, 14 * day, 15 * day].map(sizeOf)).toEqual([
    300,
    hour,
    21_600,
    43_200,
    day,
  ]);
  const window = { startUs: start, endUs: toUs('2299-12-31T23:59:59Z') };
  const size = chooseBucketSize(window);
  expect(size % day).toBe(0);
  const buckets = await runInSlices(toTimeBuckets(window, size, 'America/New_York'));
  expect(buckets.length).toBeLessThanOrEqual(maxBuckets);
  expect(buckets.length).toBeGreaterThan(maxBuckets * 0.9);
});
