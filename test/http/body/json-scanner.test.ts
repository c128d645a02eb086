import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type JsonItemHandler,
  type JsonLimits,
  type JsonRule,
  JsonTooLargeError,
} from '../../../src/http/body/json-copier.ts';
import { JsonScanner, JsonSyntaxError } from '../../../src/http/body/json-scanner.ts';

const noLimits: JsonLimits = { maxValues: 1e9, maxBytes: 1e9 };

/** Scans a text in slices of a number of bytes. */
function scan(
  text: string,
  sliceBytes: number,
  rule: JsonRule = {},
  limits: JsonLimits = noLimits,
  handler?: JsonItemHandler,
): string {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner(rule, limits, handler);
  for (let start = 0; start < bytes.length; start += sliceBytes) {
    scanner.write(bytes.subarray(start, start + sliceBytes));
  }
  return scanner.end().toString();
}

function scanOrRefuse(text: string, sliceBytes: number): string | undefined {
  try {
    return scan(text, sliceBytes);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON, JSON with one character replaced or inserted, and text of the characters of JSON. */
const nearlyJson = fc.oneof(
  fc.json(),
  fc.string({ unit: fc.constantFrom(...Array.from('{}[],:"\\u0123eE+-. \ntruefalsn')) }),
  fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom(...Array.from('{}[],:"\\u0e-. \n')))
    .map(([json, n, character]) => {
      const at = n % (json.length + 1);
      return json.slice(0, at) + character + json.slice(at + (n % 2));
    }),
);

test('exactly what JSON.parse accepts is accepted, in slices of any size, and stays as it is', () => {
  fc.assert(
    fc.property(nearlyJson, fc.integer({ min: 1, max: 7 }), (sent, sliceBytes) => {
      const text = Buffer.from(sent).toString();
      const expected = text === '' || isJson(text) ? text : undefined;
      expect(scanOrRefuse(text, sliceBytes)).toBe(expected);
    }),
    { numRuns: 5_000 },
  );
});

const batchRule: JsonRule = {
  members: {
    batch: {
      items: {
        members: {
          in: { omit: { keep: [], isRawWanted: true } },
          out: { omit: { keep: ['id'], isRawWanted: false } },
        },
      },
    },
  },
};

const member = fc.oneof(fc.constantFrom('in', 'out', 'id', 'x'), fc.string({ maxLength: 3 }));
const anyValue = fc.jsonValue({ maxDepth: 3 });
const anyObject = fc.dictionary(
  member,
  fc.oneof(anyValue, fc.dictionary(member, anyValue, { noNullPrototype: true })),
  { noNullPrototype: true },
);
const anyItem = fc.oneof(anyValue, anyObject);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is left of a value by the rule `omit`. */
function omitted(value: unknown, keep: readonly string[]): unknown {
  if (Array.isArray(value)) return [];
  if (typeof value === 'string') return '';
  if (!isObject(value)) return value;
  const kept = ([name, entry]: [string, unknown]) =>
    keep.includes(name) && typeof entry === 'string';
  return Object.fromEntries(Object.entries(value).filter(kept));
}

function expectedItem(item: unknown): unknown {
  if (!isObject(item)) return item;
  const members = Object.entries(item).map(([name, value]) => {
    if (name === 'in') return [name, omitted(value, [])];
    return [name, name === 'out' ? omitted(value, ['id']) : value];
  });
  return Object.fromEntries(members) as unknown;
}

function expectedRaw(item: unknown): unknown {
  const value = isObject(item) && Object.hasOwn(item, 'in') ? item['in'] : null;
  return typeof value === 'string' || (typeof value === 'object' && value !== null)
    ? { in: value }
    : {};
}

test('items are handed over without what is left out, and that as it was sent', () => {
  fc.assert(
    fc.property(fc.array(anyItem), fc.integer({ min: 1, max: 40 }), (batch, sliceBytes) => {
      const text = JSON.stringify({ batch, z: 1 });
      const { batch: sent } = JSON.parse(text) as { batch: unknown[] };
      const items: unknown[] = [];
      const raws: unknown[] = [];
      const rest = scan(text, sliceBytes, batchRule, noLimits, {
        startItems: () => undefined,
        item: (itemText, raw) => {
          items.push(JSON.parse(itemText ?? ''));
          const entries = [...raw].map(([name, bytes]) => [
            name,
            JSON.parse(bytes.toString()) as unknown,
          ]);
          raws.push(Object.fromEntries(entries));
        },
      });
      expect(rest).toBe('{"batch":[],"z":1}');
      expect(items).toEqual(sent.map(expectedItem));
      expect(raws).toEqual(sent.map(expectedRaw));
    }),
    { numRuns: 2_000 },
  );
});

test('an item with too many values or bytes is handed over without its text, its neighbours with it', () => {
  const texts: (string | undefined)[] = [];
  const items = ['1', `[${'0,'.repeat(20)}0]`, `"${'x'.repeat(100)}"`, '{"in":[1,2,3,4,5,6,7,8]}'];
  scan(
    `{"batch":[${items.join()}]}`,
    7,
    batchRule,
    { maxValues: 10, maxBytes: 50 },
    {
      startItems: () => undefined,
      item: (text) => texts.push(text),
    },
  );
  expect(texts).toEqual(['1', undefined, undefined, '{"in":[]}']);
});

test('a document with too many values is refused before any of them is built', () => {
  const text = `[0${',{}'.repeat(1_000)}]`;
  const limits = { maxValues: 1_000, maxBytes: 1e9 };
  expect(() => scan(text, 64, {}, limits)).toThrow(JsonTooLargeError);
});

test('long white space between tokens is not held, and the text keeps its values', () => {
  const space = ' \n\r\t'.repeat(100_000);
  const scanner = new JsonScanner({}, { maxValues: 10, maxBytes: 1_000 });
  for (const token of ['{', '"a"', ':', '[', '1', ',', '" b "', ']', '}', '']) {
    scanner.write(Buffer.from(token + space));
    expect(scanner.heldBytes).toBeLessThan(100);
  }
  expect(JSON.parse(scanner.end().toString())).toEqual({ a: [1, ' b '] });
});

test('60 MB of brackets in a member that is left out take no more memory than bits', () => {
  const levels = 30_000_000;
  const before = process.memoryUsage();
  const scanner = new JsonScanner(
    { members: { x: { omit: { keep: [], isRawWanted: false } } } },
    noLimits,
  );
  scanner.write(Buffer.from('{"x":'));
  const slice = Buffer.alloc(65_536, '[');
  for (let sent = 0; sent < levels; sent += slice.length) scanner.write(slice);
  expect(scanner.heldBytes).toBeLessThan(100);
  const { rss } = process.memoryUsage();
  expect(rss - before.rss).toBeLessThan(64 * 1_048_576);
});
