import type { Steps } from '../../../slices/run-in-slices.ts';
import { placeholder, type Query } from './queries.ts';

/** A statement and the values of its placeholders. */
export interface BoundQuery {
  readonly text: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Adds a value to the request and returns its placeholder. */
type Bind = (type: string, value: unknown) => string;

/**
 * ClickHouse accepts at most 128 KiB of text for one parameter (`http_max_field_value_size`, which only the
 * server-wide profile can raise): about 3,300 ids. Longer values are split into several parameters.
 */
const maxValueBytes = 120_000;

/**
 * Binds values to the placeholders of a query. A long `String`, `Array(String)` or `Array(Int64)` is split into several
 * parameters, so that a server with default settings accepts 200,000 ids; its placeholder then becomes `concat(…)` or
 * `arrayConcat(…)`.
 *
 * @throws {TypeError} naming query and parameter, if a value is missing, undefined or unknown.
 */
export function* bindParameters(
  query: Query,
  parameters: Readonly<Record<string, unknown>>,
): Steps<BoundQuery> {
  refuseUnknown(query, parameters);
  const values: Record<string, unknown> = {};
  const expressions = new Map<string, string>();
  for (const [name, type] of query.parameters) {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value === undefined)
      throw new TypeError(`Query ${query.name}: parameter ${name} is missing.`);
    let count = 0;
    const bind: Bind = (pieceType, piece) => {
      const pieceName = count === 0 ? name : `${name}__${String(count)}`;
      count += 1;
      values[pieceName] = piece;
      return `{${pieceName}: ${pieceType}}`;
    };
    expressions.set(name, yield* toExpression(type, value, bind));
  }
  const text = query.text.replace(
    placeholder,
    (match: string, name: string) => expressions.get(name) ?? match,
  );
  return { text, values };
}

function refuseUnknown(query: Query, parameters: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(parameters)) {
    if (!query.parameters.has(name)) {
      throw new TypeError(`Query ${query.name}: unknown parameter ${name}.`);
    }
  }
}

function* toExpression(type: string, value: unknown, bind: Bind): Steps<string> {
  if (type === 'String' && typeof value === 'string') return toTextExpression(value, bind);
  if (type === 'Array(String)' && Array.isArray(value)) {
    return yield* toArrayExpression(value as string[], bind);
  }
  if (type === 'Array(Int64)' && Array.isArray(value)) {
    return toIntegersExpression(value as bigint[], bind);
  }
  return bind(type, value);
}

/** An integer takes at most 20 characters and a comma. */
const maxIntegersPerParameter = 5_000;

function toIntegersExpression(integers: readonly bigint[], bind: Bind): string {
  const pieces: string[] = [];
  for (let from = 0; from === 0 || from < integers.length; from += maxIntegersPerParameter) {
    pieces.push(bind('Array(Int64)', integers.slice(from, from + maxIntegersPerParameter)));
  }
  return pieces.length === 1 ? pieces.join() : `arrayConcat(${pieces.join(', ')})`;
}

function toTextExpression(text: string, bind: Bind): string {
  const pieces = toShortTexts(text).map((piece) => bind('String', piece));
  return pieces.length === 1 ? pieces.join() : `concat(${pieces.join(', ')})`;
}

function* toArrayExpression(texts: readonly string[], bind: Bind): Steps<string> {
  const pieces: string[] = [];
  for (const array of yield* toShortArrays(texts)) {
    const [first = ''] = array;
    pieces.push(
      first.length > maxTextUnits
        ? `[${toTextExpression(first, bind)}]`
        : bind('Array(String)', array),
    );
    yield;
  }
  return pieces.length === 1 ? pieces.join() : `arrayConcat(${pieces.join(', ')})`;
}

/** A text of so many UTF-16 units is never too long: each takes three bytes at most, and two if it is escaped. */
const maxTextUnits = maxValueBytes / 3;

function toShortTexts(text: string): string[] {
  if (text.length <= maxTextUnits) return [text];
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = start + maxTextUnits;
    const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(end - 1));
    pieces.push(text.slice(start, splitsPair ? end - 1 : end));
    start = splitsPair ? end - 1 : end;
  }
  return pieces;
}

/** A text that is too long is in an array of its own. */
function* toShortArrays(texts: readonly string[]): Steps<string[][]> {
  let array: string[] = [];
  let bytes = 0;
  const arrays = [array];
  for (const text of texts) {
    const size = maxSentBytes(text);
    if (array.length > 0 && bytes + size > maxValueBytes) {
      array = [];
      arrays.push(array);
      bytes = 0;
    }
    array.push(text);
    bytes += size;
    yield;
  }
  return arrays;
}

/** At least the bytes of a text as it is sent in an array, with quotes and escaped characters. */
function maxSentBytes(text: string): number {
  if (text.length > maxTextUnits) return maxValueBytes;
  return Buffer.byteLength(text) * (escaped.test(text) ? 2 : 1) + 3;
}

const escaped = /[\t\n\r'\\]/;
