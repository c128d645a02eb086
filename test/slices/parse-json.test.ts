import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesOf, parseJson } from '../../src/slices/parse-json.ts';

/** Runs all steps. */
function parse(text: string): { readonly value: unknown; readonly steps: number } {
  const steps = parseJson(Buffer.from(text));
  for (let count = 0; ; count += 1) {
    const { done, value } = steps.next();
    if (done === true) return { value, steps: count };
  }
}

const padding = ' '.repeat(40_000);

describe('a text of any size becomes what JSON.parse makes of it:', () => {
  test.each([
    '[]',
    '{}',
    'null',
    '-0',
    '[1, -2.5e-7, 1E+400, true, false, null, "", "x"]',
    '{"b":1,"a":{"":[[]],"2":{},"1":[{"x":"y"}]},"b":{"c":2}}',
    String.raw`["\"\\\/\b\f\n\r\t", "\u00e9\ud83d\ude00\ud83d", "é😀\\"]`,
    '{"__proto__":{"a":1},"constructor":2,"toString":[3]}',
  ])('%s', (text) => {
    const { value } = parse(`\n${padding}\t${text}\r\n`);
    expect(value).toStrictEqual(JSON.parse(text));
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
  });

  test('random values', () => {
    const options = { seed: 1, numRuns: 300 };
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        expect(JSON.stringify(parse(padding + text).value)).toBe(JSON.stringify(JSON.parse(text)));
      }),
      options,
    );
  });

  test.each([
    ['characters of two bytes', 'é'],
    ['characters of three bytes', '€'],
    ['characters of four bytes', '😀'],
    ['escapes', '"\\\n'],
    ['pairs of escapes', '\u{1f600}'],
  ])('a long text of %s, wherever it is cut', (_what, unit) => {
    for (let shift = 0; shift < 12; shift += 1) {
      const value = ['x'.repeat(shift) + unit.repeat(30_000)];
      const ascii = JSON.stringify(value).replace(
        /[\u0080-\uffff]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
      expect(parse(JSON.stringify(value)).value).toEqual(value);
      expect(parse(ascii).value).toEqual(value);
    }
  });
});

test('a nesting of 300,000 levels does not overflow the stack', () => {
  const levels = 300_000;
  let { value } = parse('['.repeat(levels) + ']'.repeat(levels));
  let depth = 0;
  for (; Array.isArray(value); depth += 1) value = (value as unknown[])[0];
  expect(depth).toBe(levels);
});

test('a long text takes a step for each piece, and a list one for each element', () => {
  expect(parse(JSON.stringify('x'.repeat(1_000_000))).steps).toBeGreaterThan(1_000_000 / 20_000);
  expect(parse(JSON.stringify(Array.from({ length: 20_000 }, String))).steps).toBeGreaterThan(
    20_000,
  );
});

test('the names of a large object are known in the order of its text, without repetitions', () => {
  const names = Array.from({ length: 3_000 }, (_, index) => `${(index * 7) % 2_000}`);
  const { value } = parse(`{${names.map((name) => `"${name}":"${'x'.repeat(20)}"`).join()}}`);
  expect(namesOf(value as object)).toEqual([...new Set(names)]);
  expect(Object.keys(value as object)).toHaveLength(2_000);
});
