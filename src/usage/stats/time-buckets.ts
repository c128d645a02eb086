import type { Steps } from '../../slices/run-in-slices.ts';
import { type OffsetPeriod, readOffsetPeriods } from './time-zone.ts';

/** Buckets times groups in one list of an answer. */
export const maxBuckets = 10_000;

/** A bucket of a window; it ends where the next one starts. */
export interface TimeBucket {
  /** Seconds since 1970. */
  readonly startS: number;
  /** ISO 8601 in the time zone of the request; without an offset for `UTC`, as Weave writes it. */
  readonly timestamp: string;
}

/** A window of time, in microseconds since 1970, from `startUs`, inclusive, to `endUs`, exclusive. */
export interface TimeWindow {
  readonly startUs: bigint;
  readonly endUs: bigint;
}

/**
 * The buckets that a window touches, the first of which may start before it; at least one.
 *
 * Buckets start at multiples of `sizeS` in local time, counted from 1970-01-01 00:00, so those of a day at midnight and
 * those of hours at full hours. Where the clock is put forward, the bucket of skipped time is missing, or begins with the
 * change. Where it is put back, buckets that are no longer than the change start again; a longer one contains the time that
 * is repeated.
 * @throws {TooManyBucketsError} there are more than {@link maxBuckets}
 */
export function* toTimeBuckets(
  { startUs, endUs }: TimeWindow,
  sizeS: number,
  timeZone: string,
): Steps<TimeBucket[]> {
  const startS = toSeconds(startUs);
  const endS = Math.max(toSeconds(endUs - 1n), startS) + 1;
  const atLeast = Math.floor((endS - startS) / sizeS);
  if (atLeast > maxBuckets + 1) throw new TooManyBucketsError(atLeast, 1);
  // Early enough for a bucket that contains a repeated hour, or a day that a country has skipped.
  const fromS = startS - sizeS - 2 * 86_400;
  const periods = yield* readOffsetPeriods(timeZone, fromS, endS);
  const starts = yield* listStarts(periods, endS, sizeS);
  const first = starts.findLastIndex((start) => start <= startS);
  const inWindow = starts.slice(Math.max(first, 0));
  if (inWindow.length > maxBuckets) throw new TooManyBucketsError(inWindow.length, 1);
  return yield* toBuckets(inWindow, periods, timeZone);
}

/** Rounded down. */
function toSeconds(us: bigint): number {
  const seconds = us / microsecondsPerSecond;
  return Number(us % microsecondsPerSecond < 0n ? seconds - 1n : seconds);
}

const microsecondsPerSecond = 1_000_000n;

function* listStarts(
  periods: readonly OffsetPeriod[],
  endS: number,
  sizeS: number,
): Steps<number[]> {
  const starts: number[] = [];
  /** The local time at which the current bucket starts by its name. */
  let current = -Infinity;
  for (const [index, { startS, offsetS }] of periods.entries()) {
    const local = startS + offsetS;
    const floor = Math.floor(local / sizeS) * sizeS;
    const putBackS = index === 0 ? 0 : (periods[index - 1]?.offsetS ?? 0) - offsetS;
    if (index === 0) current = floor;
    else if (putBackS >= sizeS) {
      if (floor !== current || floor === local) starts.push(startS);
      current = floor;
    } else if (floor > current) {
      starts.push(startS);
      current = floor;
    }
    const untilS = Math.min(periods[index + 1]?.startS ?? endS, endS);
    for (let next = floor + sizeS; next - offsetS < untilS; next += sizeS) {
      yield;
      if (next <= current) continue;
      starts.push(next - offsetS);
      current = next;
    }
  }
  return starts;
}

function* toBuckets(
  starts: readonly number[],
  periods: readonly OffsetPeriod[],
  timeZone: string,
): Steps<TimeBucket[]> {
  const buckets: TimeBucket[] = [];
  let period = 0;
  for (const startS of starts) {
    while ((periods[period + 1]?.startS ?? Infinity) <= startS) period += 1;
    const offsetS = periods[period]?.offsetS ?? 0;
    const local = new Date((startS + offsetS) * 1_000).toISOString().slice(0, 19);
    buckets.push({ startS, timestamp: timeZone === 'UTC' ? local : local + toOffset(offsetS) });
    yield;
  }
  return buckets;
}

/** `+05:30`; with seconds for the local mean time of the past. */
function toOffset(offsetS: number): string {
  const total = Math.abs(offsetS);
  const [hours, minutes, seconds] = [total / 3_600, (total / 60) % 60, total % 60].map((n) =>
    String(Math.floor(n)).padStart(2, '0'),
  );
  return `${offsetS < 0 ? '-' : '+'}${hours}:${minutes}${seconds === '00' ? '' : `:${seconds}`}`;
}

/** The length of a bucket for a window of this length: as in Weave up to 10,000 days, then as many days as needed. */
export function chooseBucketSize({ startUs, endUs }: TimeWindow): number {
  const spanS = Number(endUs - startUs) / 1_000_000;
  const known = defaultSizes.find(({ upToS }) => spanS <= upToS);
  if (known !== undefined) return known.sizeS;
  // One bucket more than the span has, where it begins and ends within a day.
  return daySeconds * Math.ceil(spanS / daySeconds / (maxBuckets - 2));
}

const daySeconds = 86_400;

const defaultSizes = [
  { upToS: 2 * 3_600, sizeS: 300 },
  { upToS: 12 * 3_600, sizeS: 3_600 },
  { upToS: 3 * daySeconds, sizeS: 21_600 },
  { upToS: 14 * daySeconds, sizeS: 43_200 },
] as const;

/** An answer would have more than {@link maxBuckets} in one list. */
export class TooManyBucketsError extends Error {
  override readonly name = 'TooManyBucketsError';
  readonly buckets: number;
  readonly groups: number;

  constructor(buckets: number, groups: number) {
    super(`${buckets} buckets of ${groups} groups`);
    this.buckets = buckets;
    this.groups = groups;
  }
}
