/**
 * Reads an ISO 8601 time with `Z` or an offset and returns it in UTC as ClickHouse reads a `DateTime64(6)`:
 * `2026-01-31 23:59:59.123456`. Digits beyond microseconds are cut off.
 *
 * @returns undefined for what is no time: another form, a day that does not exist, a year outside 1900 to 2299.
 */
export function toClickHouseTime(_text: string): string | undefined {
  throw new Error('not written yet');
}
