import { isUtf8 } from 'node:buffer';
import type { Steps } from '../../slices/run-in-slices.ts';
import { JsonCursor } from './json-cursor.ts';
import { buildLargeSpan, toAttributes, toReceivedSpan } from './json-span.ts';
import {
  maxResourceBytes,
  type SpanLimits,
  TraceFormatError,
  type TraceHandler,
} from './received-span.ts';

/**
 * Reads an `ExportTraceServiceRequest` in OTLP's JSON, in steps of some 4 KiB. Each resource, scope and span is built by
 * itself; of a large span, the long values are left out.
 *
 * @throws {TraceFormatError} it is not such a request
 */
export function* readJsonTraces(
  bytes: Buffer,
  limits: SpanLimits,
  handler: TraceHandler,
): Steps<void> {
  if (!isUtf8(bytes)) throw new TraceFormatError('The body is not UTF-8.');
  const cursor = new JsonCursor(bytes);
  const names: string[] = [];
  yield* cursor.readObject('The body', (name) => {
    if (name === 'resourceSpans' || otherNames.test(name)) names.push(name);
    return name === 'resourceSpans'
      ? cursor.readList(name, () => readResourceSpans(cursor, limits, handler))
      : undefined;
  });
  cursor.requireEnd();
  const [other] = names;
  if (other !== undefined && !names.includes('resourceSpans')) {
    throw new TraceFormatError(
      `The body has ${JSON.stringify(other)} instead of "resourceSpans": this endpoint takes traces in OTLP's JSON, with names in lowerCamelCase.`,
    );
  }
}

/** What the body of another signal has, and spans in protobuf's own spelling. */
const otherNames = /^resource_?(spans|logs|metrics|profiles)$/i;

/** The resource may stand behind the spans, which are then read once it is known. */
function* readResourceSpans(
  cursor: JsonCursor,
  limits: SpanLimits,
  handler: TraceHandler,
): Steps<void> {
  const read = (): Steps<void> =>
    cursor.readList('scopeSpans', () => readScopeSpans(cursor, limits, handler));
  yield* readInOrder(cursor, 'resourceSpans', ['resource', 'scopeSpans'], read, (resource) =>
    handler.startResource(toAttributes(resource['attributes'], 'resource')),
  );
}

function* readScopeSpans(
  cursor: JsonCursor,
  limits: SpanLimits,
  handler: TraceHandler,
): Steps<void> {
  const read = (): Steps<void> => cursor.readList('spans', () => readSpan(cursor, limits, handler));
  yield* readInOrder(cursor, 'scopeSpans', ['scope', 'spans'], read, (scope) => {
    const name = scope['name'] ?? '';
    if (typeof name !== 'string')
      throw new TraceFormatError('The name of a scope is not a string.');
    handler.startScope(name);
  });
}

function* readSpan(cursor: JsonCursor, limits: SpanLimits, handler: TraceHandler): Steps<void> {
  const start = cursor.position;
  const read = yield* cursor.readValue();
  if (read === undefined) cursor.position = start;
  const span = read === undefined ? yield* buildLargeSpan(cursor, limits) : read.value;
  handler.span(toReceivedSpan(span, limits));
  yield;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads an object with a head, such as the resource, and a list, such as that of its spans: the head first. */
function* readInOrder(
  cursor: JsonCursor,
  what: string,
  [headName, listName]: readonly [string, string],
  readList: () => Steps<void>,
  startHead: (head: JsonObject) => void,
): Steps<void> {
  let heads = 0;
  const listStarts: number[] = [];
  yield* cursor.readObject(what, (name) => {
    if (name === headName) {
      heads += 1;
      return readHead(cursor, headName, startHead);
    }
    if (name !== listName) return undefined;
    if (heads > 0) return readList();
    listStarts.push(cursor.position);
    return undefined;
  });
  if (heads === 0) startHead({});
  const end = cursor.position;
  for (const start of listStarts) {
    cursor.position = start;
    yield* readList();
  }
  cursor.position = end;
}

function* readHead(
  cursor: JsonCursor,
  name: string,
  startHead: (head: JsonObject) => void,
): Steps<void> {
  const read = yield* cursor.readValue(maxResourceBytes);
  if (read === undefined) {
    throw new TraceFormatError(`A ${name} has more than ${maxResourceBytes} bytes.`);
  }
  startHead(toObject(read.value ?? {}, name));
}

function toObject(value: unknown, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new TraceFormatError(`A ${what} is not an object.`);
}
