import { expect } from 'vitest';

/** Amounts that were computed with doubles may differ in their last digits. */
const maxRelativeDifference = 1e-12;

/**
 * Expects that an answer contains everything that is expected: further fields may be present, numbers may differ by
 * {@link maxRelativeDifference}.
 * @param path where the value is in the answer, for the message
 */
export function expectAnswer(actual: unknown, expected: unknown, path = 'answer'): void {
  if (typeof expected === 'number') {
    expect(actual, path).toBeTypeOf('number');
    const difference = Math.abs((actual as number) - expected);
    expect(difference, `${path}: ${String(actual)} instead of ${expected}`).toBeLessThanOrEqual(
      maxRelativeDifference * Math.abs(expected),
    );
  } else if (typeof expected === 'object' && expected !== null) {
    expect(actual, path).toBeTypeOf('object');
    expect(actual, path).not.toBeNull();
    for (const [key, value] of Object.entries(expected)) {
      expectAnswer((actual as Record<string, unknown>)[key], value, `${path}.${key}`);
    }
  } else {
    expect(actual, path).toEqual(expected);
  }
}
