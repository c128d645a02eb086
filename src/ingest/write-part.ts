import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { RowBinary } from '../clickhouse/client/row-binary.ts';
import { toDump } from './json-dump.ts';
import type { Part, Span } from './part.ts';
import { readUsageFields, type UsageFields } from './usage-fields/read-usage-fields.ts';

/** Whether the texts that no answer needs are stored: inputs, outputs, exceptions and OpenTelemetry spans. */
export interface PayloadChoice {
  readonly keepPayloads: boolean;
}

/**
 * Writes a part as a row of `call_parts`, without its trace, which may be known last.
 * @param id the call's id, which the service generates for a start without one
 */
export function writePart(
  writer: RowBinary,
  part: Part,
  id: string,
  { keepPayloads }: PayloadChoice,
): void {
  const { kind, call } = part;
  const start = kind === 'end' ? undefined : call;
  const end = kind === 'start' ? undefined : call;
  const payloads = keepPayloads ? { start, end, sent: part.payloads } : undefined;
  const source = { id, kind, call, start, end, payloads };
  for (const { write } of columns) write(writer, source);
}

/** Writes a span as a row of `call_parts`, without its trace. */
export function writeSpan(writer: RowBinary, span: Span): void {
  for (const { writeOfSpan } of columns) writeOfSpan(writer, span);
}

interface Source {
  readonly id: string;
  readonly kind: Part['kind'];
  readonly call: Part['call'];
  /** The call if the part has what a start has. */
  readonly start: Extract<Part, { kind: 'start' | 'whole' }>['call'] | undefined;
  /** The call if the part has what an end has. */
  readonly end: Extract<Part, { kind: 'end' | 'whole' }>['call'] | undefined;
  /** Start and end once more if the texts that no answer needs are stored, and those texts as they were sent. */
  readonly payloads:
    (Pick<Source, 'start' | 'end'> & { readonly sent: Part['payloads'] }) | undefined;
}

interface Column {
  readonly name: string;
  readonly write: (writer: RowBinary, source: Source) => void;
  readonly writeOfSpan: (writer: RowBinary, span: Span) => void;
}

const kinds = { start: 1, end: 2, whole: 3 } as const;

/** The columns that docs/call-parts.md describes, in the order in which they are written; of a part, and of a span. */
const columns: readonly Column[] = [
  text(
    'project_id',
    ({ call }) => call.project_id,
    (span) => span.projectId,
  ),
  text(
    'id',
    ({ id }) => id,
    (span) => span.id,
  ),
  uint8(
    'kind',
    ({ kind }) => kinds[kind],
    () => kinds.whole,
  ),
  text(
    'parent_id',
    ({ start }) => start?.parent_id,
    (span) => span.parentId,
  ),
  time(
    'started_at',
    ({ call }) => call.started_at,
    (span) => span.startedUs,
  ),
  time(
    'ended_at',
    ({ end }) => end?.ended_at,
    (span) => span.endedUs,
  ),
  text(
    'op_name',
    ({ start }) => start?.op_name,
    (span) => span.name,
  ),
  text(
    'display_name',
    ({ start }) => start?.display_name,
    (span) => span.displayName,
  ),
  json(
    'attributes_dump',
    '{}',
    ({ start }) => start?.attributes,
    ({ usageMode }) => (usageMode === 2 ? undefined : attributesOfMode[usageMode]),
  ),
  uint8(
    'usage_mode',
    ({ start }) => toUsageMode(start?.attributes),
    (span) => span.usageMode,
  ),
  uint8(
    'span_kind',
    () => 0,
    (span) => span.kind,
  ),
  {
    name: 'scope',
    write: (writer) => writer.uint64(0n),
    writeOfSpan: (writer, span) => writer.uint64(span.scope),
  },
  text(
    'span_attributes',
    () => '',
    (span) => span.keptAttributes,
  ),
  payload(
    'inputs',
    json('inputs_dump', '{}', ({ payloads }) => payloads?.start?.inputs),
  ),
  payload(
    'output',
    json('output_dump', 'null', ({ payloads }) => payloads?.end?.output),
  ),
  text(
    'output_id',
    ({ end }) => readShortText(end?.output, 'id'),
    (span) => span.responseId,
  ),
  text('output_service_tier', ({ end }) => readShortText(end?.output, 'service_tier')),
  json(
    'summary_dump',
    '{}',
    ({ end }) => end?.summary,
    (span) => span.summary,
  ),
  usageFields('usage_fields'),
  text('exception', ({ payloads }) => payloads?.end?.exception),
  uint8(
    'has_exception',
    ({ end }) => Number(Boolean(end?.exception)),
    (span) => Number(span.hasError),
  ),
  text(
    'thread_id',
    ({ start }) => start?.thread_id,
    (span) => span.threadId,
  ),
  text(
    'turn_id',
    ({ start }) => start?.turn_id,
    (span) => span.turnId,
  ),
  payload(
    'otel_dump',
    json('otel_dump', '', ({ payloads }) => payloads?.start?.otel_dump),
  ),
  text(
    'wb_user_id',
    ({ start }) => start?.wb_user_id,
    (span) => span.userId,
  ),
  text(
    'wb_run_id',
    ({ start }) => start?.wb_run_id,
    (span) => span.runId,
  ),
  int64('wb_run_step', ({ start }) => start?.wb_run_step),
  int64('wb_run_step_end', ({ end }) => end?.wb_run_step_end),
];

/** All columns of an insert: the trace, then those that {@link writePart} writes. */
export const partColumns: readonly string[] = ['trace_id', ...columns.map(({ name }) => name)];

/** What ClickHouse would compute from the summary. */
function usageFields(name: string): Column {
  return {
    name,
    write: (writer, { end }) => {
      const tier = readShortText(end?.output, 'service_tier') ?? '';
      writeUsageFields(writer, readUsageFields(end?.summary, tier));
    },
    writeOfSpan: (writer, { summary }) => writeUsageFields(writer, readUsageFields(summary, '')),
  };
}

function writeUsageFields(writer: RowBinary, usage: readonly UsageFields[]): void {
  writer.arraySize(usage.length);
  for (const { model, counters, serviceTier, facts } of usage) {
    writer.string(model);
    writer.arraySize(counters.length);
    for (const counter of counters) writer.uint64(counter);
    writer.utf8(serviceTier);
    writer.uint8(facts);
  }
}

type Read<T> = (source: Source) => T | null | undefined;
type ReadOfSpan<T> = (span: Span) => T | undefined;

function none(): undefined {
  return undefined;
}

function text(name: string, read: Read<string>, readOfSpan: ReadOfSpan<string> = none): Column {
  return {
    name,
    write: (writer, source) => writer.string(read(source) ?? ''),
    writeOfSpan: (writer, span) => writer.string(readOfSpan(span) ?? ''),
  };
}

/** Also an `Enum8`, whose numbers are below 128. */
function uint8(
  name: string,
  read: (source: Source) => number,
  readOfSpan: (span: Span) => number,
): Column {
  return {
    name,
    write: (writer, source) => writer.uint8(read(source)),
    writeOfSpan: (writer, span) => writer.uint8(readOfSpan(span)),
  };
}

function time(name: string, read: Read<string>, readOfSpan: ReadOfSpan<bigint>): Column {
  return {
    name,
    write: (writer, source) => {
      const value = read(source);
      writer.nullableTime(value ? toDateTime64(value) : undefined);
    },
    writeOfSpan: (writer, span) => writer.nullableMicroseconds(readOfSpan(span)),
  };
}

function int64(name: string, read: Read<number>): Column {
  return {
    name,
    write: (writer, source) => writer.nullableInt64(read(source)),
    writeOfSpan: (writer) => writer.nullableInt64(undefined),
  };
}

/** @param absent the text for a part without the value */
function json(
  name: string,
  absent: string,
  read: Read<unknown>,
  readOfSpan: ReadOfSpan<unknown> = none,
): Column {
  const write = (writer: RowBinary, value: unknown): void =>
    writer.string(value === undefined ? absent : toDump(value));
  return {
    name,
    write: (writer, source) => write(writer, read(source) ?? undefined),
    writeOfSpan: (writer, span) => write(writer, readOfSpan(span)),
  };
}

/** Writes the text as it was sent, if it was kept apart from the part. */
function payload(member: string, { write, ...column }: Column): Column {
  return {
    ...column,
    write: (writer, source) => {
      const sent = source.payloads?.sent?.get(member);
      if (sent === undefined) write(writer, source);
      else writer.utf8(sent);
    },
  };
}

/** What the attributes of a call say about its usage and that of its children, as call_parts reads it itself. */
function toUsageMode(attributes: unknown): number {
  const weave = memberOf(attributes, 'weave');
  const rollup = memberOf(weave, 'usage_rollup');
  const mode = ['own', 'rolled_up', 'otel'].findIndex((each) => each === rollup);
  if (mode !== -1) return mode;
  return Number(['js-sdk', 'python-sdk'].some((each) => each === memberOf(weave, 'source')));
}

/** The attributes that say the same; older services read them. */
const attributesOfMode = [
  { weave: { usage_rollup: 'own' } },
  { weave: { usage_rollup: 'rolled_up' } },
] as const;

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** A longer text is not an id; 0006_payloads.sql has the same limit for rows of pipelines. */
const maxShortTextBytes = 256;

/** Reads a short text of an output, which may be any JSON. */
function readShortText(output: unknown, name: string): string | undefined {
  const value = memberOf(output, name);
  if (typeof value !== 'string' || Buffer.byteLength(value) > maxShortTextBytes) return;
  return value;
}
