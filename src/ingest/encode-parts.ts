import { randomUUID } from 'node:crypto';

import type { RowBinary } from '../clickhouse/client/row-binary.ts';
import { type OrphanEnd, Traces, type TracedStart } from './find-traces.ts';
import type { Part, PartAnswer } from './part.ts';
import { type PayloadChoice, writePart } from './write-part.ts';

/** The parts of one request as rows of `call_parts`. */
export interface EncodedParts {
  readonly rows: number;
  readonly bytes: number;
  /** The rows; an orphan end is in the place of its trace, which is looked up when its batch is inserted. */
  readonly pieces: readonly (Buffer | OrphanEnd)[];
  /** Starts with a trace that their client named: a retry of a start would generate another one. */
  readonly starts: readonly TracedStart[];
  /** One answer per part, in order. */
  readonly answers: readonly PartAnswer[];
}

/**
 * Writes parts as rows. Missing ids and traces of starts are generated; an end without a trace gets that of its start
 * if the same request contains it.
 */
export function encodeParts(
  parts: readonly Part[],
  writer: RowBinary,
  choice: PayloadChoice,
): EncodedParts {
  const identified = parts.map(identify);
  const traces = toTraces(identified);
  const pieces: (Buffer | OrphanEnd)[] = [];
  const starts: TracedStart[] = [];
  for (const { part, projectId, id, traceId } of identified) {
    const trace = traceId ?? traces?.find({ projectId, id });
    if (trace === undefined) pieces.push(writer.take(), { projectId, id });
    else writer.string(trace);
    writePart(writer, part, id, choice);
    const { kind, call } = part;
    if (kind !== 'end' && call.trace_id) starts.push({ projectId, id, traceId: call.trace_id });
  }
  pieces.push(writer.take());
  const bytes = pieces.reduce((sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : 0), 0);
  return { rows: parts.length, bytes, pieces, starts, answers: identified.map(toAnswer) };
}

/** A part whose call has an id. */
interface IdentifiedPart {
  readonly part: Part;
  readonly projectId: string;
  readonly id: string;
  /** Undefined for an end that does not name its trace. */
  readonly traceId: string | undefined;
}

function identify(part: Part): IdentifiedPart {
  const { project_id: projectId, id, trace_id } = part.call;
  const traceId = trace_id || (part.kind === 'end' ? undefined : randomUUID());
  return { part, projectId, id: id ?? randomUUID(), traceId };
}

/** The traces of the starts, unless no end needs one. */
function toTraces(parts: readonly IdentifiedPart[]): Traces | undefined {
  if (parts.every(({ traceId }) => traceId !== undefined)) return undefined;
  const traces = new Traces();
  for (const { part, projectId, id, traceId } of parts) {
    if (part.kind !== 'end' && traceId !== undefined) traces.add({ projectId, id, traceId });
  }
  return traces;
}

function toAnswer({ part, id, traceId }: IdentifiedPart): PartAnswer {
  return part.kind === 'end' || traceId === undefined ? {} : { id, trace_id: traceId };
}
