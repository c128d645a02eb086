import { ClickHouseStartError } from '../errors.ts';

/** The oldest ClickHouse that the statements in sql/ are tested with. */
export const minimumServerVersion = '25.8';

/**
 * Refuses a ClickHouse that is too old.
 * @throws {ClickHouseStartError} naming both versions.
 */
export function checkServerVersion(version: string, minimum: string): void {
  if (compareVersions(version, minimum) >= 0) return;
  throw new ClickHouseStartError(
    `ClickHouse is version ${version}, but version ${minimum} or newer is needed.`,
  );
}

/** Negative, zero or positive, as `one` is older than, as far as both go the same as, or newer than `other`. */
export function compareVersions(one: string, other: string): number {
  const [first, second] = [toNumbers(one), toNumbers(other)];
  for (let index = 0; index < Math.min(first.length, second.length); index += 1) {
    const difference = (first[index] ?? 0) - (second[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function toNumbers(version: string): number[] {
  return (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}
