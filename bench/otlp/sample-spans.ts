import { PartEncoder } from '../../src/ingest/encode-parts.ts';
import { RowBinary } from '../../src/clickhouse/client/row-binary.ts';
import { readJsonTraces } from '../../src/ingest/otlp/json-traces.ts';
import type { ReceivedSpan } from '../../src/ingest/otlp/received-span.ts';
import { SpanBatch } from '../../src/ingest/otlp/span-batch.ts';
import { toScope, toSpan } from '../../src/ingest/otlp/to-span.ts';
import type { Span } from '../../src/ingest/part.ts';
import { runSteps } from '../../src/slices/run-in-slices.ts';
import {
  type Format,
  encode,
  type JsonSpan,
  type JsonTraces,
  toAttributes,
  toTraces,
} from '../../test/support/otlp-traces.ts';

/** Spans of a trace: an agent, its steps, their model requests and tools. */
const spansPerTrace = 20;

/** The ids of a batch begin with this, and are replaced in its bytes before each request. */
const idPrefix = 'b0b1b2b3';

const projectId = 'otlp/bench';
const scopeName = 'opentelemetry.instrumentation.openai.v1';

/** A batch of spans of about 2 kB in JSON; deterministic. */
function createTraces(spans: number): JsonTraces {
  return toTraces(
    Array.from({ length: spans }, (_, index) => createSpan(index)),
    projectId,
    scopeName,
  );
}

function createSpan(index: number): JsonSpan {
  const root = index - (index % spansPerTrace);
  const id = (number: number): string => `${idPrefix}${number.toString(16).padStart(8, '0')}`;
  const started = 1_795_773_236_000_000_000n + BigInt(index) * 1_000_000n;
  return {
    traceId: `${id(root)}${'0'.repeat(15)}1`,
    spanId: id(index),
    ...(index === root ? {} : { parentSpanId: id(root) }),
    name: index === root ? 'invoke_agent weather' : 'chat gpt-4o-mini',
    startTimeUnixNano: String(started),
    endTimeUnixNano: String(started + 900_000_000n),
    attributes:
      index === root ? toAttributes(agentAttributes) : toAttributes(chatAttributes(index)),
    status: { code: 0 },
  };
}

const agentAttributes = {
  'gen_ai.operation.name': 'invoke_agent',
  'gen_ai.agent.name': 'weather',
  'gen_ai.request.model': 'gpt-4o-mini',
};

/** The attributes of a model request in the captures, with a prompt and an answer of some hundred bytes. */
function chatAttributes(index: number): Readonly<Record<string, string | number | boolean>> {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o-mini',
    'gen_ai.response.model': 'gpt-4o-mini-2024-07-18',
    'gen_ai.response.id': `chatcmpl-${index}`,
    'gen_ai.usage.input_tokens': 1_000 + (index % 997),
    'gen_ai.usage.output_tokens': 50 + (index % 89),
    'gen_ai.usage.total_tokens': 1_050 + (index % 997) + (index % 89),
    'gen_ai.usage.cache_read.input_tokens': 512,
    'gen_ai.usage.reasoning_tokens': 10,
    'gen_ai.is_streaming': false,
    'server.address': 'api.openai.com',
    'gen_ai.input.messages': `[{"role":"user","content":"${'What is the weather? '.repeat(20)}"}]`,
    'gen_ai.output.messages': `[{"role":"assistant","content":"${'It is sunny. '.repeat(15)}"}]`,
  };
}

/** A body whose ids can be changed without writing it again. */
export interface BatchBody {
  readonly bytes: Buffer;
  /** Gives all traces and spans new ids. */
  readonly renumber: (batch: number) => void;
}

/** The body of a request. */
export function createRequestBody(format: Format, spans: number): BatchBody {
  return toBatchBody(encode(format, createTraces(spans)), format === 'protobuf' ? 'hex' : 'latin1');
}

/** The same spans as rows that a pipeline inserts by itself (docs/call-parts.md), one JSON object per line. */
export function createJsonRows(count: number): BatchBody {
  const lines: string[] = [];
  const context = { projectId, resource: new Map(), scope: toScope(scopeName) };
  const span = (received: ReceivedSpan): void => {
    const converted = toSpan(received, context);
    if ('reason' in converted) throw new Error(converted.reason);
    lines.push(JSON.stringify(toRow(converted)));
  };
  const handler = { startResource: () => undefined, startScope: () => undefined, span };
  const body = encode('json', createTraces(count));
  runSteps(readJsonTraces(body, { maxAttributes: count }, handler), Infinity);
  return toBatchBody(Buffer.from(lines.join('\n')), 'latin1');
}

function toRow(span: Span): object {
  return {
    project_id: span.projectId,
    trace_id: span.traceId,
    id: span.id,
    parent_id: span.parentId,
    kind: 'whole',
    started_at: toTime(span.startedUs),
    ended_at: toTime(span.endedUs),
    op_name: span.name,
    usage_mode: span.usageMode,
    span_kind: span.kind,
    scope: String(span.scope),
    span_attributes: span.keptAttributes,
    output_id: span.responseId,
    summary_dump: JSON.stringify(span.summary ?? {}),
    has_exception: Number(span.hasError),
  };
}

function toTime(us: bigint): string {
  const milliseconds = new Date(Number(us / 1_000n)).toISOString().slice(0, 23).replace('T', ' ');
  return `${milliseconds}${String(us % 1_000n).padStart(3, '0')}`;
}

/** The rows that the service writes for the same spans, with what ClickHouse computes for a pipeline. */
export function createBinaryRows(spans: number): BatchBody {
  const encoder = new PartEncoder(new RowBinary(), { keepPayloads: false });
  const options = {
    encoder,
    defaultProject: undefined,
    coversProject: () => true,
    maxSpans: spans,
  };
  const batch = new SpanBatch(options);
  const body = encode('json', createTraces(spans));
  runSteps(readJsonTraces(body, { maxAttributes: spans }, batch), Infinity);
  const { pieces } = encoder.finish();
  return toBatchBody(Buffer.concat(pieces.filter((piece) => Buffer.isBuffer(piece))), 'latin1');
}

function toBatchBody(bytes: Buffer, encoding: 'hex' | 'latin1'): BatchBody {
  const positions: number[] = [];
  const prefix = Buffer.from(idPrefix, encoding);
  for (let at = bytes.indexOf(prefix); at !== -1; at = bytes.indexOf(prefix, at + 1)) {
    positions.push(at);
  }
  return {
    bytes,
    renumber: (batch) => {
      const id = Buffer.from(batch.toString(16).padStart(8, '0'), encoding);
      for (const position of positions) id.copy(bytes, position);
    },
  };
}
