import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toDecimal, toDecimalPerToken } from '../../src/prices/decimal.ts';

/** Parses the shortest text of a JSON number to its exact value: digits and a power of ten. */
function parseExactly(text: string): { digits: bigint; exponent: number } {
  const [number = '', exponent = '0'] = text.split('e');
  const [whole = '', fraction = ''] = number.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

/** Parses a decimal to units of 10^-30. */
function parseUnits(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(30, '0'));
}

describe('toDecimal', () => {
  test.each([
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [1000, '1000'],
    [0.5, '0.5'],
    [123.456, '123.456'],
    [0.000003, '0.000003'],
    [1e-6, '0.000001'],
    [1e-7, '0.0000001'],
    [1.25e-6, '0.00000125'],
    [2.5e-7, '0.00000025'],
    [1.1e-7, '0.00000011'],
    // Results of a division keep all digits that distinguish them from adjacent floats.
    [3e-6 * 0.1, '0.00000030000000000000004'],
    [3.3 / 1e6, '0.0000032999999999999997'],
    [1.2345678901234566e-9, '0.0000000012345678901234566'],
    [0.1 + 0.2, '0.30000000000000004'],
    [1e-30, '0.000000000000000000000000000001'],
    // The digits after the thirtieth decimal place are truncated.
    [1.99e-29, '0.000000000000000000000000000019'],
    [9.9e-31, '0.000000000000000000000000000000'],
    [5e-324, '0.000000000000000000000000000000'],
    [999999999999999900000, '999999999999999900000'],
  ])('writes %d as %s', (number, expected) => {
    expect(toDecimal(number)).toBe(expected);
  });

  const price = fc.oneof(
    fc.double({ min: 0, max: 1000, noNaN: true }),
    fc.double({ min: 0, max: 1e-3, noNaN: true }),
    // As in price lists: a few digits of a millionth.
    fc.nat({ max: 99_999 }).map((number) => Number(`${number}e-9`)),
  );
  const storablePrice = price.filter((number) => number === 0 || number >= 1e-13);

  test('writes a number of at most 30 decimal places so that it reads back as the same number', () => {
    fc.assert(
      fc.property(storablePrice, (number) => {
        const decimal = toDecimal(number);
        expect(decimal).toMatch(/^\d+(\.\d{1,30})?$/);
        expect(Number(decimal)).toBe(number);
        const { digits, exponent } = parseExactly(String(number));
        expect(parseUnits(decimal)).toBe(digits * 10n ** BigInt(exponent + 30));
      }),
      { numRuns: 2_000 },
    );
  });

  test('truncates a number of more than 30 decimal places, and never rounds it up', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e-13, noNaN: true }), (number) => {
        const decimal = toDecimal(number);
        expect(decimal).toMatch(/^\d+(\.\d{1,30})?$/);
        const { digits, exponent } = parseExactly(String(number));
        const shift = exponent + 30;
        const expected =
          shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
        expect(parseUnits(decimal)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('toDecimalPerToken', () => {
  test.each([
    [0, '0'],
    [2.5, '0.0000025'],
    [0.15, '0.00000015'],
    // 3.3 / 1e6 in floating point is 0.0000032999999999999997.
    [3.3, '0.0000033'],
    [0.0075, '0.0000000075'],
    [600, '0.0006'],
    [1e6, '1'],
    [12_345_678.5, '12.3456785'],
    [1e-7, '0.0000000000001'],
    // The 24th decimal place of a price per million tokens is the 30th, and last, of the price per token.
    [1.9e-24, '0.000000000000000000000000000001'],
    [9e-25, '0'],
  ])('converts %d per million tokens to %s per token', (number, expected) => {
    expect(toDecimalPerToken(number)).toBe(expected);
  });

  test('divides by a million exactly, to the last digit', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-7, max: 1e9, noNaN: true }), (number) => {
        const decimal = toDecimalPerToken(number);
        expect(decimal).toMatch(/^\d+(\.\d{1,30})?$/);
        const { digits, exponent } = parseExactly(String(number));
        expect(parseUnits(decimal)).toBe(digits * 10n ** BigInt(exponent - 6 + 30));
      }),
      { numRuns: 2_000 },
    );
  });
});
