import fc from 'fast-check';
import { stringify } from 'safe-stable-stringify';
import { describe, expect, test } from 'vitest';
import { toJsonFragments } from '../../src/slices/json-fragments.ts';

function write(value: unknown, order: 'as is' | 'sorted'): string[] {
  return [...toJsonFragments(value, order)].filter((fragment) => fragment !== undefined);
}

/** Values that are too large to be written at once, with an awkward part. */
function enlarge(value: unknown): object {
  return { z: [value, value], long: 'x'.repeat(20_000), b: { value }, a: value };
}

const parsed = JSON.parse('{"__proto__":{"b":1,"a":2},"2":[],"1":{}}') as unknown;

describe.each(['as is', 'sorted'] as const)('with members %s, the text of', (order) => {
  const expected = (value: unknown): string =>
    (order === 'sorted' ? stringify(value) : JSON.stringify(value)) ?? '';

  test.each([
    ['a scalar', -0.5],
    ['null', null],
    ['empty containers', [[], {}]],
    ['members that are undefined', { a: undefined, b: 1, c: undefined }],
    ['awkward names', parsed],
    ['lone surrogates', ['\ud800', '\udc00\ud800', '\ud800x']],
    ['names that JavaScript and code points sort differently', { '\ufffd': 1, '😀': 2, a: 3 }],
  ])('%s is that of JSON.stringify', (_what, value) => {
    expect(write(value, order).join('')).toBe(expected(value));
    expect(write(enlarge(value), order).join('')).toBe(expected(enlarge(value)));
  });

  test('random values is that of JSON.stringify', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(write(enlarge(value), order).join('')).toBe(expected(enlarge(value)));
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test('a long text with pairs of surrogates is cut between them', () => {
    for (const shift of ['', 'x']) {
      const text = shift + '😀'.repeat(20_000);
      expect(write({ [text]: text }, order).join('')).toBe(expected({ [text]: text }));
    }
  });

  test('large values consists of many short fragments', () => {
    const members = Array.from({ length: 10_000 }, (_, index) => [`name-${index}`, { index }]);
    for (const value of [Object.fromEntries(members), members, 'x'.repeat(400_000)]) {
      const fragments = write(value, order);
      expect(fragments.join('')).toBe(expected(value));
      expect(Math.max(...fragments.map(({ length }) => length))).toBeLessThan(20_000);
    }
  });
});

test('a nesting of 100,000 levels does not overflow the stack', () => {
  const levels = 100_000;
  const text = '['.repeat(levels) + ']'.repeat(levels);
  expect(write(JSON.parse(text), 'as is').join('')).toBe(text);
});
