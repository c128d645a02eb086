/**
 * Converts an ISO 8601 time with `Z` or an offset to UTC in the format of ClickHouse's `DateTime64(6)`:
 * `2026-01-31 23:59:59.123456`. Digits after the microseconds are truncated.
 *
 * @returns undefined for any other format, for a day that does not exist and for a year before 1900 or after 2299.
 */
export function toDateTime64(text: string): string | undefined {
  return utcFormat.test(text) ? convertUtc(text) : convertWithOffset(text);
}

/** @returns microseconds since 1970 of a time as {@link toDateTime64} writes it */
export function toUnixMicroseconds(dateTime64: string): bigint {
  const [seconds = '', microseconds = ''] = dateTime64.split('.');
  return BigInt(Date.parse(`${seconds.replace(' ', 'T')}Z`)) * 1_000n + BigInt(microseconds);
}

/** Nearly every client sends UTC. It is converted without Date, which took an eighth of the time of ingesting a call. */
const utcFormat = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?[Zz]$/;

function convertUtc(text: string): string | undefined {
  const year = 100 * toTwoDigits(text, 0) + toTwoDigits(text, 2);
  const [month, day] = [toTwoDigits(text, 5), toTwoDigits(text, 8)];
  if (year < 1900 || year > 2299 || day < 1 || day > toDaysOfMonth(month, year)) return undefined;
  if (toTwoDigits(text, 11) > 23 || toTwoDigits(text, 14) > 59 || toTwoDigits(text, 17) > 59) {
    return undefined;
  }
  const microseconds = text.slice(20, -1).slice(0, 6).padEnd(6, '0');
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${microseconds}`;
}

function toTwoDigits(text: string, at: number): number {
  return 10 * (text.charCodeAt(at) - 48) + text.charCodeAt(at + 1) - 48;
}

/** 0 for a month that does not exist. */
function toDaysOfMonth(month: number, year: number): number {
  if (month < 1 || month > 12) return 0;
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

const anyFormat =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))$/;

function convertWithOffset(text: string): string | undefined {
  const match = anyFormat.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] =
    match;
  const asWritten = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const local = new Date(asWritten);
  // Date turns a day or hour that does not exist into a later one.
  if (Number.isNaN(local.getTime()) || local.toISOString() !== asWritten) return undefined;
  if (Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return undefined;
  const offsetMinutes = Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0);
  const utc = new Date(local.getTime() - (sign === '-' ? -1 : 1) * offsetMinutes * 60_000);
  if (utc.getUTCFullYear() < 1900 || utc.getUTCFullYear() > 2299) return undefined;
  const microseconds = fraction.slice(0, 6).padEnd(6, '0');
  return `${utc.toISOString().slice(0, 19).replace('T', ' ')}.${microseconds}`;
}
