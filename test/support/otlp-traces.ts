import { PbfWriter } from 'pbf';

/** A span of OTLP's JSON, as far as tests need it. */
export interface JsonSpan {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes?: readonly JsonAttribute[];
  readonly events?: readonly {
    readonly name: string;
    readonly attributes?: readonly JsonAttribute[];
  }[];
  readonly status?: { readonly code: number; readonly message?: string };
}

export interface JsonAttribute {
  readonly key: string;
  readonly value: JsonValue;
}

type JsonValue =
  | { readonly stringValue: string }
  | { readonly intValue: number | string }
  | { readonly boolValue: boolean }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly JsonValue[] } }
  | { readonly kvlistValue: { readonly values: readonly JsonAttribute[] } };

interface JsonResourceSpans {
  readonly resource?: { readonly attributes: readonly JsonAttribute[] };
  readonly scopeSpans: readonly {
    readonly scope?: { readonly name: string };
    readonly spans: readonly JsonSpan[];
  }[];
}

/** An `ExportTraceServiceRequest` as JSON. */
export interface JsonTraces {
  readonly resourceSpans: readonly JsonResourceSpans[];
}

/** Attributes from an object; integers become `intValue`. */
export function toAttributes(
  values: Readonly<Record<string, string | number | boolean>>,
): JsonAttribute[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: toValue(value) }));
}

function toValue(value: string | number | boolean): JsonValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
}

/** A model request with usage. */
export function toSpan(
  index: number,
  more: JsonSpan = {},
): JsonSpan & Required<Pick<JsonSpan, 'traceId' | 'spanId' | 'attributes'>> {
  return {
    traceId: (index + 1).toString(16).padStart(32, '0'),
    spanId: (index + 1).toString(16).padStart(16, '0'),
    name: 'chat gpt-4o',
    startTimeUnixNano: '1795773236000000999',
    endTimeUnixNano: '1795773237000001000',
    attributes: toAttributes({
      'gen_ai.operation.name': 'chat',
      'gen_ai.response.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 100 + index,
      'gen_ai.usage.output_tokens': 10,
    }),
    ...more,
  };
}

/** The resource attributes that name a project. */
export function projectAttributes(project: string): JsonAttribute[] {
  const [entity = '', name = ''] = project.split('/');
  return toAttributes({ 'wandb.entity': entity, 'wandb.project': name });
}

export function toTraces(
  spans: readonly JsonSpan[],
  project?: string,
  scope = 'tests',
): JsonTraces {
  const resource = { attributes: project === undefined ? [] : projectAttributes(project) };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: scope }, spans }] }] };
}

/** The same request in protobuf. */
export function encodeTraces({ resourceSpans }: JsonTraces): Buffer {
  const writer = new PbfWriter();
  for (const each of resourceSpans) writer.writeMessage(1, writeResourceSpans, each);
  return Buffer.from(writer.finish());
}

type Write<T> = (value: T, writer?: PbfWriter) => void;

function writing<T>(write: (value: T, writer: PbfWriter) => void): Write<T> {
  return (value, writer) => {
    if (writer !== undefined) write(value, writer);
  };
}

const writeResourceSpans = writing<JsonResourceSpans>(({ resource, scopeSpans }, writer) => {
  if (resource !== undefined) writer.writeMessage(1, writeResource, resource);
  for (const each of scopeSpans) writer.writeMessage(2, writeScopeSpans, each);
});

const writeResource = writing<{ readonly attributes: readonly JsonAttribute[] }>(
  ({ attributes }, writer) => {
    for (const each of attributes) writer.writeMessage(1, writeAttribute, each);
  },
);

const writeScopeSpans = writing<JsonResourceSpans['scopeSpans'][number]>(
  ({ scope, spans }, writer) => {
    if (scope !== undefined) {
      writer.writeMessage(
        1,
        writing<string>((name, inner) => inner.writeStringField(1, name)),
        scope.name,
      );
    }
    for (const each of spans) writer.writeMessage(2, writeSpan, each);
  },
);

const writeSpan = writing<JsonSpan>((span, writer) => {
  writer.writeBytesField(1, Buffer.from(span.traceId ?? '', 'hex'));
  writer.writeBytesField(2, Buffer.from(span.spanId ?? '', 'hex'));
  if (span.parentSpanId !== undefined) {
    writer.writeBytesField(4, Buffer.from(span.parentSpanId, 'hex'));
  }
  writer.writeStringField(5, span.name ?? '');
  writeTime(writer, 7, span.startTimeUnixNano);
  writeTime(writer, 8, span.endTimeUnixNano);
  for (const each of span.attributes ?? []) writer.writeMessage(9, writeAttribute, each);
  for (const { name, attributes = [] } of span.events ?? []) {
    writer.writeMessage(
      11,
      writing<string>((text, inner) => {
        inner.writeStringField(2, text);
        for (const each of attributes) inner.writeMessage(3, writeAttribute, each);
      }),
      name,
    );
  }
  if (span.status !== undefined) {
    writer.writeMessage(
      15,
      writing<NonNullable<JsonSpan['status']>>(({ code, message }, inner) => {
        inner.writeStringField(2, message ?? '');
        inner.writeVarintField(3, code);
      }),
      span.status,
    );
  }
});

function writeTime(writer: PbfWriter, field: number, time: string | undefined): void {
  if (time === undefined) return;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(time));
  writer.writeTag(field, 1);
  for (const byte of bytes) {
    writer.realloc(1);
    writer.buf[writer.pos] = byte;
    writer.pos += 1;
  }
}

const writeAttribute = writing<JsonAttribute>(({ key, value }, writer) => {
  writer.writeStringField(1, key);
  writer.writeMessage(2, writeValue, value);
});

const writeValue: Write<JsonValue> = writing<JsonValue>((value, writer) => {
  if ('stringValue' in value) writer.writeStringField(1, value.stringValue);
  else if ('boolValue' in value) writer.writeBooleanField(2, value.boolValue);
  else if ('intValue' in value) writer.writeVarintField(3, Number(value.intValue));
  else if ('doubleValue' in value) writer.writeDoubleField(4, value.doubleValue);
  else if ('arrayValue' in value) {
    writer.writeMessage(
      5,
      writing<readonly JsonValue[]>((values, inner) => {
        for (const each of values) inner.writeMessage(1, writeValue, each);
      }),
      value.arrayValue.values,
    );
  } else {
    writer.writeMessage(
      6,
      writing<readonly JsonAttribute[]>((values, inner) => {
        for (const each of values) inner.writeMessage(1, writeAttribute, each);
      }),
      value.kvlistValue.values,
    );
  }
});

export const formats = ['protobuf', 'json'] as const;
export type Format = (typeof formats)[number];

export function encode(format: Format, traces: JsonTraces): Buffer {
  return format === 'json' ? Buffer.from(JSON.stringify(traces)) : encodeTraces(traces);
}
