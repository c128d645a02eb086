import { randomUUID } from 'node:crypto';

import type { RowBinary } from '../clickhouse/client/row-binary.ts';
import { type OrphanEnd, Traces, type TracedStart } from './find-traces.ts';
import type { Part, PartAnswer, Span } from './part.ts';
import { type PayloadChoice, writePart, writeSpan } from './write-part.ts';

/** The parts of one request as rows of `call_parts`. */
export interface EncodedParts {
  readonly rows: number;
  readonly bytes: number;
  /** The rows; an orphan end is in the place of its trace, which is looked up when its batch is inserted. */
  readonly pieces: readonly (Buffer | OrphanEnd)[];
  /** Starts with a trace that their client named: a retry of a start would generate another one. */
  readonly starts: readonly TracedStart[];
  /** One answer per part, in order; none for spans. */
  readonly answers: readonly PartAnswer[];
}

/** Rows are copied out of the writer in pieces of about this size. */
const pieceBytes = 65_536;

/** What a part takes besides its row, for its answer and its trace. */
const bytesPerPart = 256;

/**
 * Writes the parts of one request as rows, one after the other. Missing ids and traces of starts are generated; an end
 * without a trace gets that of its start if the same request contains it.
 */
export class PartEncoder {
  readonly #writer: RowBinary;
  readonly #payloadChoice: PayloadChoice;
  readonly #pieces: (Buffer | OrphanEnd)[] = [];
  readonly #answers: PartAnswer[] = [];
  readonly #allStarts: TracedStart[] = [];
  readonly #starts: TracedStart[] = [];
  #hasOrphanEnds = false;
  #pieceBytes = 0;
  #spans = 0;

  /** @param writer empty, and used by this encoder alone until it has finished */
  constructor(writer: RowBinary, payloadChoice: PayloadChoice) {
    this.#writer = writer;
    this.#payloadChoice = payloadChoice;
  }

  /** Parts and spans that were added. */
  get rows(): number {
    return this.#answers.length + this.#spans;
  }

  /** The memory that the rows and their answers take. */
  get heldBytes(): number {
    return this.#pieceBytes + this.#writer.capacity + this.#answers.length * bytesPerPart;
  }

  add(part: Part): void {
    const { kind, call } = part;
    const { project_id: projectId } = call;
    const id = call.id ?? randomUUID();
    const traceId = call.trace_id || (kind === 'end' ? undefined : randomUUID());
    if (traceId !== undefined) this.#writer.string(traceId);
    else this.#addOrphanEnd({ projectId, id });
    writePart(this.#writer, part, id, this.#payloadChoice);
    if (this.#writer.length >= pieceBytes) this.#takePiece();
    if (kind === 'end' || traceId === undefined) {
      this.#answers.push({});
      return;
    }
    this.#answers.push({ id, trace_id: traceId });
    const start = { projectId, id, traceId };
    this.#allStarts.push(start);
    if (call.trace_id) this.#starts.push(start);
  }

  addSpan(span: Span): void {
    this.#writer.string(span.traceId);
    writeSpan(this.#writer, span);
    if (this.#writer.length >= pieceBytes) this.#takePiece();
    this.#spans += 1;
  }

  finish(): EncodedParts {
    this.#takePiece();
    return {
      rows: this.rows,
      bytes: this.#pieceBytes,
      pieces: this.#hasOrphanEnds ? this.#fillInTraces() : this.#pieces,
      starts: this.#starts,
      answers: this.#answers,
    };
  }

  #addOrphanEnd(end: OrphanEnd): void {
    this.#takePiece();
    this.#pieces.push(end);
    this.#hasOrphanEnds = true;
  }

  #takePiece(): void {
    if (this.#writer.length === 0) return;
    const piece = this.#writer.take();
    this.#pieceBytes += piece.length;
    this.#pieces.push(piece);
  }

  #fillInTraces(): (Buffer | OrphanEnd)[] {
    const traces = new Traces();
    for (const start of this.#allStarts) traces.add(start);
    return this.#pieces.map((piece) => {
      const trace = Buffer.isBuffer(piece) ? undefined : traces.find(piece);
      if (trace === undefined) return piece;
      this.#writer.string(trace);
      return this.#writer.take();
    });
  }
}
