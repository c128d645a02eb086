import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toDecimal } from '../src/prices/decimal.ts';
import { addMoney, parseMoney, toNumber } from '../src/money.ts';

const dollar = 10n ** 30n;

describe('parsing', () => {
  test.each([
    ['0', 0n],
    ['1', dollar],
    ['12.0345', (120_345n * dollar) / 10_000n],
    ['-12.0345', (-120_345n * dollar) / 10_000n],
    ['-0.5', -dollar / 2n],
    ['0.000000000000000000000000000001', 1n],
    ['1.000000000000000000000000000001', dollar + 1n],
    [`${2n ** 128n}.25`, 2n ** 128n * dollar + dollar / 4n],
  ])('%s is exact', (text, expected) => {
    expect(parseMoney(text)).toBe(expected);
  });
});

describe('adding', () => {
  test('is exact where floats are not', () => {
    expect(addMoney(parseMoney('0.1'), parseMoney('0.2'))).toBe(parseMoney('0.3'));
    expect(0.1 + 0.2).not.toBe(0.3);
  });

  test('ignores an unknown amount', () => {
    expect(addMoney(null, 5n)).toBe(5n);
    expect(addMoney(5n, null)).toBe(5n);
    expect(addMoney(null, 0n)).toBe(0n);
    expect(addMoney(0n, null)).toBe(0n);
  });

  test('of two unknown amounts is unknown', () => {
    expect(addMoney(null, null)).toBeNull();
  });
});

describe('as a JSON number', () => {
  test.each([
    [0n, 0],
    [1n, 1e-30],
    [parseMoney('0.3'), 0.3],
    [parseMoney('-12.0345'), -12.0345],
    [10n ** 60n, 1e30],
    // 2^53 + 1 is not a float; slightly more is nearest to 2^53 + 2.
    [(2n ** 53n + 1n) * dollar, 2 ** 53],
    [(2n ** 53n + 1n) * dollar + 1n, 2 ** 53 + 2],
  ])('%s is the nearest one: %d', (money, expected) => {
    expect(toNumber(money)).toBe(expected);
  });

  test('an amount that is a float becomes that float', () => {
    const amount = fc.double({ min: 1e-13, max: 1e20, noNaN: true });
    fc.assert(
      fc.property(amount, (number) => {
        expect(toNumber(parseMoney(toDecimal(number)))).toBe(number);
      }),
      { numRuns: 1_000 },
    );
  });
});
