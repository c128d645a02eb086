import type { Steps } from '../../slices/run-in-slices.ts';

/** A time from which a time zone has another offset than before, in seconds since 1970. */
export interface OffsetPeriod {
  /** Inclusive. */
  readonly startS: number;
  /** Local time minus UTC. */
  readonly offsetS: number;
}

/** Offsets are compared this far apart, so no change is missed but one that is undone within a week. */
const strideS = 7 * 86_400;

/**
 * The offsets of a time zone from a time to another, ascending; the first period starts at `fromS`.
 * @param timeZone an IANA name for which {@link isTimeZone} is true
 */
export function* readOffsetPeriods(
  timeZone: string,
  fromS: number,
  toS: number,
): Steps<OffsetPeriod[]> {
  const offsetAt = createOffsetReader(timeZone);
  const periods = [{ startS: fromS, offsetS: offsetAt(fromS) }];
  let offset = offsetAt(fromS);
  for (let low = fromS; low < toS; low += strideS) {
    yield;
    const high = Math.min(low + strideS, toS);
    let from = low;
    while (offsetAt(high) !== offset) {
      const startS = findChange(offsetAt, from, high);
      offset = offsetAt(startS);
      periods.push({ startS, offsetS: offset });
      from = startS;
    }
  }
  return periods;
}

/** The first second after `low` whose offset is not that of `low`; `high` has another one. */
function findChange(offsetAt: (s: number) => number, low: number, high: number): number {
  const before = offsetAt(low);
  let [same, other] = [low, high];
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (offsetAt(middle) === before) same = middle;
    else other = middle;
  }
  return other;
}

function createOffsetReader(timeZone: string): (s: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (s) => {
    const parts = new Map(format.formatToParts(s * 1_000).map(({ type, value }) => [type, value]));
    const at = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    const day = [at('year'), at('month') - 1, at('day')] as const;
    return Date.UTC(...day, at('hour'), at('minute'), at('second')) / 1_000 - s;
  };
}

/** Whether a name is that of a time zone in the IANA database; offsets such as `+02:00` are none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
