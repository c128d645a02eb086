import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { RowBinary } from '../clickhouse/client/row-binary.ts';
import { toDump } from './json-dump.ts';
import type { Part } from './part.ts';

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
}

const kinds = { start: 1, end: 2, whole: 3 } as const;

/** The columns that docs/call-parts.md describes, in the order in which they are written. */
const columns: readonly Column[] = [
  text('project_id', ({ call }) => call.project_id),
  text('id', ({ id }) => id),
  { name: 'kind', write: (writer, { kind }) => writer.enum8(kinds[kind]) },
  text('parent_id', ({ start }) => start?.parent_id),
  time('started_at', ({ call }) => call.started_at),
  time('ended_at', ({ end }) => end?.ended_at),
  text('op_name', ({ start }) => start?.op_name),
  text('display_name', ({ start }) => start?.display_name),
  json('attributes_dump', '{}', ({ start }) => start?.attributes),
  payload(
    'inputs',
    json('inputs_dump', '{}', ({ payloads }) => payloads?.start?.inputs),
  ),
  payload(
    'output',
    json('output_dump', 'null', ({ payloads }) => payloads?.end?.output),
  ),
  text('output_id', ({ end }) => readShortText(end?.output, 'id')),
  text('output_service_tier', ({ end }) => readShortText(end?.output, 'service_tier')),
  json('summary_dump', '{}', ({ end }) => end?.summary),
  text('exception', ({ payloads }) => payloads?.end?.exception),
  flag('has_exception', ({ end }) => Boolean(end?.exception)),
  text('thread_id', ({ start }) => start?.thread_id),
  text('turn_id', ({ start }) => start?.turn_id),
  payload(
    'otel_dump',
    json('otel_dump', '', ({ payloads }) => payloads?.start?.otel_dump),
  ),
  text('wb_user_id', ({ start }) => start?.wb_user_id),
  text('wb_run_id', ({ start }) => start?.wb_run_id),
  int64('wb_run_step', ({ start }) => start?.wb_run_step),
  int64('wb_run_step_end', ({ end }) => end?.wb_run_step_end),
];

/** All columns of an insert: the trace, then those that {@link writePart} writes. */
export const partColumns: readonly string[] = ['trace_id', ...columns.map(({ name }) => name)];

type Read<T> = (source: Source) => T | null | undefined;

function text(name: string, read: Read<string>): Column {
  return { name, write: (writer, source) => writer.string(read(source) ?? '') };
}

function flag(name: string, read: (source: Source) => boolean): Column {
  return { name, write: (writer, source) => writer.uint8(Number(read(source))) };
}

function time(name: string, read: Read<string>): Column {
  const write: Column['write'] = (writer, source) => {
    const value = read(source);
    writer.nullableTime(value ? toDateTime64(value) : undefined);
  };
  return { name, write };
}

function int64(name: string, read: Read<number>): Column {
  return { name, write: (writer, source) => writer.nullableInt64(read(source)) };
}

/** @param absent the text for a part without the value */
function json(name: string, absent: string, read: Read<unknown>): Column {
  const write: Column['write'] = (writer, source) => {
    const value = read(source) ?? undefined;
    writer.string(value === undefined ? absent : toDump(value));
  };
  return { name, write };
}

/** Writes the text as it was sent, if it was kept apart from the part. */
function payload(member: string, { name, write }: Column): Column {
  return {
    name,
    write: (writer, source) => {
      const sent = source.payloads?.sent?.get(member);
      if (sent === undefined) write(writer, source);
      else writer.utf8(sent);
    },
  };
}

/** A longer text is not an id; 0006_payloads.sql has the same limit for rows of pipelines. */
const maxShortTextBytes = 256;

/** Reads a short text of an output, which may be any JSON. */
function readShortText(output: unknown, name: string): string | undefined {
  if (typeof output !== 'object' || output === null || !Object.hasOwn(output, name)) return;
  const value = (output as Readonly<Record<string, unknown>>)[name];
  if (typeof value !== 'string' || Buffer.byteLength(value) > maxShortTextBytes) return;
  return value;
}
