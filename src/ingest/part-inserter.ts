import { randomUUID } from 'node:crypto';

import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import { ClickHouseOverloadedError, QueryTimeoutError } from '../clickhouse/errors.ts';
import { RowBinary } from '../clickhouse/client/row-binary.ts';
import { contentOf, type Part, type PartAnswer } from './part.ts';
import { GroupCommit, type Committable, type GroupLimits } from './group-commit.ts';
import { MemoryBudget, type Reservation } from './memory-budget.ts';
import { partColumns, writePartBehindTrace } from './part-columns.ts';
import { toPartRow } from './part-row.ts';

/** How calls are taken in. */
export interface PartInserterLimits extends GroupLimits {
  /** Bytes of bodies being worked on and of rows waiting to be stored, at most. */
  readonly memoryBudgetBytes: number;
}

/** An end whose trace is not known where it is written; the trace goes in its place when the insert begins. */
interface OrphanEnd {
  readonly projectId: string;
  readonly id: string;
}

/** A start whose client has named its trace. */
type NamedStart = OrphanEnd & { readonly traceId: string };

/** The parts of one request as they are inserted. */
interface PartRows extends Committable {
  readonly pieces: readonly (Buffer | OrphanEnd)[];
  readonly starts: readonly NamedStart[];
}

/** Takes parts in: those of requests that come together are one insert. */
export class PartInserter {
  /** What is held of requests whose parts are on their way. */
  readonly held: MemoryBudget;
  readonly #clickhouse: ClickHouse;
  readonly #commits: GroupCommit<PartRows>;
  readonly #writer = new RowBinary();
  readonly #inFlight = new Set<readonly PartRows[]>();

  constructor(clickhouse: ClickHouse, limits: PartInserterLimits) {
    this.#clickhouse = clickhouse;
    this.held = new MemoryBudget(limits.memoryBudgetBytes);
    this.#commits = new GroupCommit(limits, (requests) => this.#insert(requests));
  }

  /**
   * Stores the parts of one request; when it resolves all are in ClickHouse. Missing ids and trace ids of starts
   * are made here; ends without a trace id get that of their start where it is known by now.
   *
   * @param body what the request holds, from here on its rows
   * @returns one answer per part, in order.
   * @throws {ClickHouseOverloadedError} at once where too much waits, later where ClickHouse has no room or time.
   * @throws {ClickHouseUnavailableError} ClickHouse cannot be reached; as of all errors, some may be stored or none.
   */
  async store(parts: readonly Part[], body: Reservation): Promise<PartAnswer[]> {
    if (parts.length === 0) return [];
    const { rows, answers } = this.#prepare(parts);
    const reservation = body.resize(rows.bytes);
    try {
      await this.#commits.add(rows);
    } finally {
      reservation.release();
    }
    return answers;
  }

  #prepare(parts: readonly Part[]): { rows: PartRows; answers: PartAnswer[] } {
    const named = parts.map(nameStart);
    return { rows: this.#toRows(named), answers: named.map(toAnswer) };
  }

  #toRows(parts: readonly NamedPart[]): PartRows {
    const traceOf = tracesBeside(parts);
    const pieces: (Buffer | OrphanEnd)[] = [];
    const starts: NamedStart[] = [];
    for (const { part, id, traceId } of parts) {
      const { project_id: projectId, trace_id } = contentOf(part);
      const known = traceId ?? traceOf?.get(toCallKey({ projectId, id }));
      if (known === undefined) pieces.push(this.#writer.take(), { projectId, id });
      else this.#writer.string(known);
      writePartBehindTrace(this.#writer, toPartRow(part, id, known ?? ''));
      if (part.kind !== 'end' && trace_id) starts.push({ projectId, id, traceId: trace_id });
    }
    pieces.push(this.#writer.take());
    const bytes = pieces.reduce(
      (sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : 0),
      0,
    );
    return { rows: parts.length, bytes, pieces, starts };
  }

  async #insert(requests: readonly PartRows[]): Promise<void> {
    this.#inFlight.add(requests);
    try {
      const chunks = await this.#fillInTraces(requests.flatMap(({ pieces }) => pieces));
      await this.#clickhouse.insertBinary('call_parts', partColumns, chunks);
    } catch (error) {
      if (!(error instanceof QueryTimeoutError)) throw error;
      throw new ClickHouseOverloadedError('ClickHouse did not take calls in time', {
        cause: error,
      });
    } finally {
      this.#inFlight.delete(requests);
    }
  }

  async #fillInTraces(pieces: readonly (Buffer | OrphanEnd)[]): Promise<Buffer[]> {
    const ends = pieces.filter((piece): piece is OrphanEnd => !Buffer.isBuffer(piece));
    if (ends.length === 0) return pieces as readonly Buffer[] as Buffer[];
    const traceOf = await this.#findTraces(ends);
    const writer = new RowBinary();
    return pieces.map((piece) => {
      if (Buffer.isBuffer(piece)) return piece;
      writer.string(traceOf.get(toCallKey(piece)) ?? '');
      return writer.take();
    });
  }

  /** Finds traces: among the starts that are being inserted at this time, then in ClickHouse, in one query. */
  async #findTraces(ends: readonly OrphanEnd[]): Promise<ReadonlyMap<string, string>> {
    const traces = new Map<string, string>();
    for (const { starts } of [...this.#inFlight].flat()) {
      for (const start of starts) traces.set(toCallKey(start), start.traceId);
    }
    const unknown = ends.filter((end) => !traces.has(toCallKey(end)));
    if (unknown.length === 0) return traces;
    const found = await this.#clickhouse.read<{ project_id: string; id: string; trace_id: string }>(
      'find_traces',
      { project_ids: unknown.map((end) => end.projectId), call_ids: unknown.map(({ id }) => id) },
    );
    for (const { project_id: projectId, id, trace_id } of found) {
      traces.set(toCallKey({ projectId, id }), trace_id);
    }
    return traces;
  }
}

/** A part with its ids; an end's trace may be unknown. */
interface NamedPart {
  readonly part: Part;
  readonly id: string;
  readonly traceId: string | undefined;
}

function nameStart(part: Part): NamedPart {
  const { id, trace_id } = contentOf(part);
  return {
    part,
    id: id ?? randomUUID(),
    traceId: trace_id || (part.kind === 'end' ? undefined : randomUUID()),
  };
}

/** Traces of the starts of one request, made ones too, where an end may need them. */
function tracesBeside(parts: readonly NamedPart[]): ReadonlyMap<string, string> | undefined {
  if (parts.every(({ traceId }) => traceId !== undefined)) return undefined;
  const traces = new Map<string, string>();
  for (const { part, id, traceId } of parts) {
    if (part.kind === 'end' || traceId === undefined) continue;
    traces.set(toCallKey({ projectId: contentOf(part).project_id, id }), traceId);
  }
  return traces;
}

function toAnswer({ part, id, traceId }: NamedPart): PartAnswer {
  return part.kind === 'end' || traceId === undefined ? {} : { id, trace_id: traceId };
}

function toCallKey({ projectId, id }: OrphanEnd): string {
  return JSON.stringify([projectId, id]);
}
