import { toDateTime64 } from '../clickhouse/client/date-time64.ts';

/**
 * Converts a date such as 2026-01-31, which is 00:00 UTC of that day, a time without a zone, which is UTC as in Weave, or
 * a time with `Z` or an offset, to the format of ClickHouse's `DateTime64(6)`, as `toDateTime64` does.
 * @returns undefined for anything else
 */
export function toEffectiveDate(text: string): string | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return toDateTime64(`${text}T00:00:00Z`);
  const [, time, seconds = ''] = withoutZone.exec(text) ?? [];
  return toDateTime64(time === undefined ? text : `${time}${seconds || ':00'}Z`);
}

const withoutZone = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d)(:\d\d(?:\.\d+)?)?$/;
