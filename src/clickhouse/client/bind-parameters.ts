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
export function bindParameters(
  query: Query,
  parameters: Readonly<Record<string, unknown>>,
): BoundQuery {
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
    expressions.set(name, toExpression(type, value, bind));
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

function toExpression(type: string, value: unknown, bind: Bind): string {
  if (type === 'String' && typeof value === 'string') return toTextExpression(value, bind);
  if (type === 'Array(String)' && Array.isArray(value)) {
    return toArrayExpression(value as string[], bind);
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

function toArrayExpression(texts: readonly string[], bind: Bind): string {
  const pieces = toShortArrays(texts).map((array) => {
    const [first = ''] = array;
    const tooLong = array.length === 1 && toSentBytes(first) > maxValueBytes;
    return tooLong ? `[${toTextExpression(first, bind)}]` : bind('Array(String)', array);
  });
  return pieces.length === 1 ? pieces.join() : `arrayConcat(${pieces.join(', ')})`;
}

function toShortTexts(text: string): string[] {
  if (toSentBytes(text) <= maxValueBytes) return [text];
  const middle = text.length >> 1;
  const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(middle - 1));
  const end = splitsPair ? middle - 1 : middle;
  return [...toShortTexts(text.slice(0, end)), ...toShortTexts(text.slice(end))];
}

function toShortArrays(texts: readonly string[]): string[][] {
  let array: string[] = [];
  let bytes = 0;
  const arrays = [array];
  for (const text of texts) {
    const size = toSentBytes(text) + 3;
    if (array.length > 0 && bytes + size > maxValueBytes) {
      array = [];
      arrays.push(array);
      bytes = 0;
    }
    array.push(text);
    bytes += size;
  }
  return arrays;
}

/** UTF-8 bytes of a text as the client sends it, including backslashes before escaped characters. */
function toSentBytes(text: string): number {
  return Buffer.byteLength(text) + (text.match(/[\t\n\r'\\]/g)?.length ?? 0);
}
