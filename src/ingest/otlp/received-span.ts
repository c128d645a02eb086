/** A span as it was received, without the attributes that nobody needs. */
export interface ReceivedSpan {
  /** 32 hexadecimal digits in lower case; undefined where the id is missing, malformed or zero. */
  readonly traceId: string | undefined;
  /** 16 hexadecimal digits, as the trace id. */
  readonly spanId: string | undefined;
  /** Empty for a root; undefined where the id is malformed. */
  readonly parentId: string | undefined;
  readonly name: string;
  /** Nanoseconds since 1970; 0 where the time is missing. */
  readonly startedNs: bigint;
  readonly endedNs: bigint;
  readonly hasError: boolean;
  readonly attributes: Attributes;
  /** Why the span is too large to be read: it has too many attributes, or a value that is read is too long. */
  readonly excess: string | undefined;
}

/** Values that are no array, map or bytes. */
export type AttributeValue = string | number | boolean;

/** Attributes by their names; of a name that is repeated, the last one. */
export type Attributes = ReadonlyMap<string, AttributeValue>;

/** Gets what a body contains: each resource, each of its scopes, each span of the scope. */
export interface TraceHandler {
  startResource(attributes: Attributes): void;
  startScope(name: string): void;
  span(span: ReceivedSpan): void;
}

/** What a reader may read of one span. */
export interface SpanLimits {
  /** Attributes, events and links. */
  readonly maxAttributes: number;
}

/** The body is not an `ExportTraceServiceRequest`. */
export class TraceFormatError extends Error {
  override readonly name = 'TraceFormatError';
}

/** Bytes of the longest text of an attribute, and of the longest name of a span, that is read. */
export const maxTextBytes = 65_536;

/** Why a span is refused of which a text is longer. */
export function tooLongText(name: string): string {
  return `its ${name} is longer than ${maxTextBytes} bytes`;
}

/** Bytes of the largest resource or scope. */
export const maxResourceBytes = 262_144;
