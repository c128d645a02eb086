import { PbfReader } from 'pbf';
import type { Steps } from '../../slices/run-in-slices.ts';
import { maxNameBytes, useOfAttribute } from './attribute-names.ts';
import {
  type Attributes,
  type AttributeValue,
  maxResourceBytes,
  maxTextBytes,
  type ReceivedSpan,
  type SpanLimits,
  tooLongText,
  TraceFormatError,
  type TraceHandler,
} from './received-span.ts';

/**
 * Reads an `ExportTraceServiceRequest` in steps, each of about one span. What is not needed, such as events and prompts,
 * is jumped over.
 *
 * @throws {TraceFormatError} the bytes are no such message
 */
export function* readProtobufTraces(
  bytes: Buffer,
  limits: SpanLimits,
  handler: TraceHandler,
): Steps<void> {
  const source = { bytes, reader: new PbfReader(bytes), limits, handler };
  try {
    for (const field of fields(source.reader, bytes.length)) {
      if (field === 1) yield* readResourceSpans(source, endOfMessage(source.reader, bytes.length));
      yield;
    }
  } catch (error) {
    if (!(error instanceof RangeError) && !isPbfError(error)) throw error;
    throw new TraceFormatError('The body is not a protobuf message.', { cause: error });
  }
}

interface Source {
  readonly bytes: Buffer;
  readonly reader: PbfReader;
  readonly limits: SpanLimits;
  readonly handler: TraceHandler;
}

// Types of fields on the wire.
const fixed64 = 1;
const lengthDelimited = 2;

/** The fields of a message by number; what the loop does not read of a field is skipped. */
function* fields(reader: PbfReader, end: number): Generator<number, void> {
  for (let field = reader.nextField(end); field !== 0; field = reader.nextField(end)) yield field;
  requireEnd(reader, end);
}

/** `pbf` does not notice a field that ends behind its message, nor one that is cut off: its position shows it. */
function requireEnd(reader: PbfReader, end: number): void {
  if (reader.pos !== end) throw truncated();
}

function truncated(): TraceFormatError {
  return new TraceFormatError('The body is not a protobuf message, or is cut off.');
}

function requireType(reader: PbfReader, type: number): void {
  if (reader.type === type) return;
  throw new TraceFormatError(
    'The body is not an ExportTraceServiceRequest: a field has the type of another message, such as one of logs or metrics.',
  );
}

/** Reads the length of a message, bytes or a text, which begin at the reader's position then. */
function endOfMessage(reader: PbfReader, parentEnd: number): number {
  requireType(reader, lengthDelimited);
  const length = reader.readVarint();
  const end = reader.pos + length;
  if (end > parentEnd) throw truncated();
  return end;
}

/** Reads the resource first, which may stand behind its spans. */
function* readResourceSpans(source: Source, end: number): Steps<void> {
  const { reader, handler } = source;
  const start = reader.pos;
  let resource: Attributes = new Map();
  for (const field of fields(reader, end)) {
    if (field === 1) resource = readResource(source, endOfMessage(reader, end));
    yield;
  }
  handler.startResource(resource);
  reader.pos = start;
  for (const field of fields(reader, end)) {
    if (field === 2) yield* readScopeSpans(source, endOfMessage(reader, end));
    yield;
  }
}

function readResource(source: Source, end: number): Attributes {
  const { reader } = source;
  requireSize(end - reader.pos);
  const attributes = new Map<string, AttributeValue>();
  for (const field of fields(reader, end)) {
    if (field === 1) readAttribute(source, endOfMessage(reader, end), attributes);
  }
  return attributes;
}

function requireSize(bytes: number): void {
  if (bytes <= maxResourceBytes) return;
  throw new TraceFormatError(`A resource or scope has more than ${maxResourceBytes} bytes.`);
}

/** Reads the scope first, as the resource. */
function* readScopeSpans(source: Source, end: number): Steps<void> {
  const { reader, handler } = source;
  const start = reader.pos;
  let scope = '';
  for (const field of fields(reader, end)) {
    if (field === 1) scope = readScopeName(source, endOfMessage(reader, end));
    yield;
  }
  handler.startScope(scope);
  reader.pos = start;
  for (const field of fields(reader, end)) {
    if (field === 2) handler.span(readSpan(source, endOfMessage(reader, end)));
    yield;
  }
}

function readScopeName(source: Source, end: number): string {
  const { reader } = source;
  requireSize(end - reader.pos);
  let name = '';
  for (const field of fields(reader, end)) if (field === 1) name = readText(source, end) ?? '';
  return name;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function readSpan(source: Source, end: number): ReceivedSpan {
  const { bytes, reader, limits } = source;
  const attributes = new Map<string, AttributeValue>();
  const span: Mutable<ReceivedSpan> = newSpan(attributes);
  let read = 0;
  for (let field = reader.nextField(end); field !== 0; field = reader.nextField(end)) {
    if (reader.pos >= end) throw truncated();
    if ((read += 1) > limits.maxAttributes) {
      span.excess = `it has more than ${limits.maxAttributes} attributes, events and links`;
      reader.pos = end;
      return span;
    }
    if (field === 1) span.traceId = readId(source, end, 16);
    else if (field === 2) span.spanId = readId(source, end, 8);
    else if (field === 4) span.parentId = readParentId(source, end);
    else if (field === 5) span.name = readText(source, end) ?? tooLongName(span);
    else if (field === 7) span.startedNs = readTime(bytes, reader);
    else if (field === 8) span.endedNs = readTime(bytes, reader);
    else if (field === 9) {
      const tooLong = readAttribute(source, endOfMessage(reader, end), attributes);
      if (tooLong !== undefined) span.excess = tooLongText(tooLong);
    } else if (field === 15) span.hasError = readStatus(reader, endOfMessage(reader, end));
  }
  requireEnd(reader, end);
  return span;
}

function newSpan(attributes: Attributes): ReceivedSpan {
  return {
    traceId: undefined,
    spanId: undefined,
    parentId: '',
    name: '',
    startedNs: 0n,
    endedNs: 0n,
    hasError: false,
    attributes,
    excess: undefined,
  };
}

function tooLongName(span: Mutable<ReceivedSpan>): string {
  span.excess = tooLongText('name');
  return '';
}

const onlyZeros = /^0+$/;

function readId(source: Source, parentEnd: number, length: number): string | undefined {
  const { bytes, reader } = source;
  const end = endOfMessage(reader, parentEnd);
  const start = reader.pos;
  reader.pos = end;
  if (end - start !== length) return undefined;
  const id = bytes.toString('hex', start, end);
  return onlyZeros.test(id) ? undefined : id;
}

/** A parent id of no bytes, or of zeros alone, is none. */
function readParentId(source: Source, parentEnd: number): string | undefined {
  const { bytes, reader } = source;
  const end = endOfMessage(reader, parentEnd);
  const start = reader.pos;
  reader.pos = end;
  if (end === start) return '';
  if (end - start !== 8) return undefined;
  const id = bytes.toString('hex', start, end);
  return onlyZeros.test(id) ? '' : id;
}

function readTime(bytes: Buffer, reader: PbfReader): bigint {
  requireType(reader, fixed64);
  const time = bytes.readBigUInt64LE(reader.pos);
  reader.pos += 8;
  return time;
}

/** @returns undefined for a text that is longer than any that is needed */
function readText({ bytes, reader }: Source, parentEnd: number): string | undefined {
  const end = endOfMessage(reader, parentEnd);
  const start = reader.pos;
  reader.pos = end;
  return end - start > maxTextBytes ? undefined : bytes.toString('utf8', start, end);
}

const statusError = 2;

function readStatus(reader: PbfReader, end: number): boolean {
  let hasError = false;
  for (const field of fields(reader, end)) {
    if (field === 3) hasError = reader.readVarint() === statusError;
  }
  return hasError;
}

/** @returns the name of an attribute that is needed and too long to be read */
function readAttribute(
  source: Source,
  end: number,
  attributes: Map<string, AttributeValue>,
): string | undefined {
  const { bytes, reader } = source;
  let [name, valueStart, valueEnd] = ['', end, end];
  for (let field = reader.nextField(end); field !== 0; field = reader.nextField(end)) {
    if (field > 2) continue;
    const fieldEnd = endOfMessage(reader, end);
    const start = reader.pos;
    reader.pos = fieldEnd;
    if (field === 2) [valueStart, valueEnd] = [start, fieldEnd];
    else name = fieldEnd - start > maxNameBytes ? '' : bytes.toString('latin1', start, fieldEnd);
  }
  requireEnd(reader, end);
  const use = useOfAttribute(name);
  if (use === undefined) return undefined;
  reader.pos = valueStart;
  const value = readValue(source, valueEnd);
  reader.pos = end;
  if (value === undefined)
    return use.isRead && valueEnd - valueStart > maxTextBytes ? name : undefined;
  attributes.set(name, value);
  return undefined;
}

/** @returns undefined for an array, a map, bytes, nothing, and a text that is too long */
function readValue(source: Source, end: number): AttributeValue | undefined {
  const { bytes, reader } = source;
  let value: AttributeValue | undefined;
  for (let field = reader.nextField(end); field !== 0; field = reader.nextField(end)) {
    if (field === 1) value = readText(source, end);
    else if (field === 2) value = reader.readBoolean();
    else if (field === 3) value = reader.readVarint(true);
    else if (field === 4) {
      requireType(reader, fixed64);
      value = bytes.readDoubleLE(reader.pos);
      reader.pos += 8;
    }
  }
  requireEnd(reader, end);
  return value;
}

/** What pbf throws for a varint of more than ten bytes, and for types of fields that do not exist. */
function isPbfError(error: unknown): boolean {
  return error instanceof Error && /^(Expected varint|Unimplemented type)/.test(error.message);
}
