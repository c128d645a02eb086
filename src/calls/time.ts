const form =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))$/;

/**
 * Reads an ISO 8601 time with `Z` or an offset and returns it in UTC as ClickHouse reads a `DateTime64(6)`:
 * `2026-01-31 23:59:59.123456`. Digits beyond microseconds are cut off.
 *
 * @returns undefined for what is no time: another form, a day that does not exist, a year outside 1900 to 2299.
 */
export function toClickHouseTime(text: string): string | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHour, offsetMinute] =
    match;
  const asWritten = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const local = new Date(asWritten);
  // Date rolls a day or hour that does not exist over into the next.
  if (Number.isNaN(local.getTime()) || local.toISOString() !== asWritten) return undefined;
  if (Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return undefined;
  const offsetMinutes = Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0);
  const utc = new Date(local.getTime() - (sign === '-' ? -1 : 1) * offsetMinutes * 60_000);
  if (utc.getUTCFullYear() < 1900 || utc.getUTCFullYear() > 2299) return undefined;
  const microseconds = fraction.slice(0, 6).padEnd(6, '0');
  return `${utc.toISOString().slice(0, 19).replace('T', ' ')}.${microseconds}`;
}
