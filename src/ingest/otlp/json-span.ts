import type { Steps } from '../../slices/run-in-slices.ts';
import { useOfAttribute } from './attribute-names.ts';
import type { JsonCursor } from './json-cursor.ts';
import {
  type Attributes,
  type AttributeValue,
  maxTextBytes,
  type ReceivedSpan,
  type SpanLimits,
  tooLongText,
  TraceFormatError,
} from './received-span.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** A span of OTLP's JSON. Where a field has another type than it should, the body is refused. */
export function toReceivedSpan(value: unknown, limits: SpanLimits): ReceivedSpan {
  if (!isObject(value)) throw new TraceFormatError('A span is not an object.');
  const attributes = listOf(value, 'attributes');
  const count = attributes.length + listOf(value, 'events').length + listOf(value, 'links').length;
  const name = textOf(value, 'name');
  const read = readAttributes(attributes, 'span');
  return {
    traceId: toId(textOf(value, 'traceId'), traceIdFormat),
    spanId: toId(textOf(value, 'spanId'), spanIdFormat),
    parentId: toParentId(textOf(value, 'parentSpanId')),
    name,
    startedNs: toTime(value, 'startTimeUnixNano'),
    endedNs: toTime(value, 'endTimeUnixNano'),
    hasError: isError(value['status']),
    attributes: read.attributes,
    excess:
      count > limits.maxAttributes
        ? `it has more than ${limits.maxAttributes} attributes, events and links`
        : name.length > maxTextBytes
          ? tooLongText('name')
          : read.excess,
  };
}

/** The attributes of a resource. */
export function toAttributes(value: unknown, what: string): Attributes {
  return readAttributes(listOf({ attributes: value }, 'attributes'), what).attributes;
}

function readAttributes(
  list: readonly unknown[],
  what: string,
): { readonly attributes: Attributes; readonly excess: string | undefined } {
  const attributes = new Map<string, AttributeValue>();
  let excess: string | undefined;
  for (const each of list) {
    if (!isObject(each) || typeof each['key'] !== 'string') {
      throw new TraceFormatError(`An attribute of a ${what} is not an object with a key.`);
    }
    const { key, value: any } = each;
    const use = useOfAttribute(key);
    if (use === undefined) continue;
    const value = toValue(any);
    if (typeof value === 'string' && Buffer.byteLength(value) > maxTextBytes) {
      if (use.isRead) excess = tooLongText(key);
    } else if (value !== undefined) attributes.set(key, value);
  }
  return { attributes, excess };
}

/** @returns undefined for an array, a map, bytes, and nothing */
function toValue(any: unknown): AttributeValue | undefined {
  if (!isObject(any)) return undefined;
  const { stringValue, boolValue, intValue, doubleValue } = any;
  if (typeof stringValue === 'string') return stringValue;
  if (typeof boolValue === 'boolean') return boolValue;
  const number = intValue ?? doubleValue;
  return typeof number === 'number' || typeof number === 'string' ? Number(number) : undefined;
}

const traceIdFormat = /^[0-9a-f]{32}$/;
const spanIdFormat = /^[0-9a-f]{16}$/;
const onlyZeros = /^0*$/;

function toId(text: string, format: RegExp): string | undefined {
  const id = text.toLowerCase();
  return format.test(id) && !onlyZeros.test(id) ? id : undefined;
}

/** A parent id that is empty, or of zeros alone, is none. */
function toParentId(text: string): string | undefined {
  const id = text.toLowerCase();
  if (id === '') return '';
  if (!spanIdFormat.test(id)) return undefined;
  return onlyZeros.test(id) ? '' : id;
}

/** A 64-bit integer is text or a number. */
function toTime(span: JsonObject, name: string): bigint {
  const value = span[name] ?? 0;
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return BigInt(value);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return BigInt(value);
  throw new TraceFormatError(`The ${name} of a span is not a number of nanoseconds.`);
}

const statusError = 2;

/** Enums are integers in OTLP's JSON. */
function isError(status: unknown): boolean {
  if (status === undefined || status === null) return false;
  if (!isObject(status)) throw new TraceFormatError('The status of a span is not an object.');
  const code = status['code'] ?? 0;
  if (typeof code === 'number') return code === statusError;
  throw new TraceFormatError('The status code of a span is not an integer.');
}

function textOf(object: JsonObject, name: string): string {
  const value = object[name] ?? '';
  if (typeof value === 'string') return value;
  throw new TraceFormatError(`The ${name} of a span is not a string.`);
}

function listOf(object: JsonObject, name: string): readonly unknown[] {
  const value = object[name] ?? [];
  if (Array.isArray(value)) return value;
  throw new TraceFormatError(`The ${name} of a span or resource are not a list.`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An attribute of more bytes is not built; one that is needed is as long as its longest text, in escapes. */
const maxAttributeBytes = 6 * maxTextBytes + 1_024;

/**
 * Builds a large span without its events, its links and the values of its large attributes, such as prompts.
 * @param cursor at the span
 */
export function* buildLargeSpan(
  cursor: JsonCursor,
  { maxAttributes }: SpanLimits,
): Steps<JsonObject> {
  const span: Record<string, unknown> = {};
  yield* cursor.readObject('A span', (name) => {
    if (name === 'attributes' || name === 'events' || name === 'links') {
      const list: unknown[] = [];
      span[name] = list;
      return cursor.readList(name, () =>
        name === 'attributes' && list.length <= maxAttributes
          ? addAttribute(cursor, list)
          : countElement(cursor, list, maxAttributes),
      );
    }
    return useMember(cursor, span, name);
  });
  return span;
}

const spanMembers = [
  ...['traceId', 'spanId', 'parentSpanId', 'name'],
  ...['startTimeUnixNano', 'endTimeUnixNano', 'status'],
];

function useMember(
  cursor: JsonCursor,
  span: Record<string, unknown>,
  name: string,
): Steps<void> | undefined {
  if (!spanMembers.includes(name)) return undefined;
  return (function* () {
    const read = yield* cursor.readValue(maxAttributeBytes);
    if (read === undefined) throw new TraceFormatError(`The ${name} of a span is too long.`);
    span[name] = read.value;
  })();
}

function* countElement(cursor: JsonCursor, list: unknown[], maxElements: number): Steps<void> {
  yield* cursor.skip();
  if (list.length <= maxElements) list.push(undefined);
}

/** Of an attribute that is too large the value is left out, but for its length where it is needed. */
function* addAttribute(cursor: JsonCursor, list: unknown[]): Steps<void> {
  const start = cursor.position;
  const read = yield* cursor.readValue(maxAttributeBytes);
  if (read !== undefined) {
    list.push(read.value);
    return;
  }
  const end = cursor.position;
  cursor.position = start;
  let key: unknown;
  yield* cursor.readObject('An attribute', (name) => {
    if (name !== 'key') return undefined;
    return (function* () {
      key = (yield* cursor.readValue(maxTextBytes))?.value ?? '';
    })();
  });
  cursor.position = end;
  list.push({ key, value: { stringValue: tooLong } });
}

/** Stands for a text that is not built. */
const tooLong = ' '.repeat(maxTextBytes + 1);
