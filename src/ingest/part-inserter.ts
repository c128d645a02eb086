import { Batcher, type QueueUse } from '../queues/batcher.ts';
import type { Reservation } from '../memory-budget.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import { ClickHouseOverloadedError, QueryTimeoutError } from '../clickhouse/errors.ts';
import { RowBinary } from '../clickhouse/client/row-binary.ts';
import { type EncodedParts, PartEncoder } from './encode-parts.ts';
import { findTraces, type OrphanEnd } from './find-traces.ts';
import type { PartAnswer } from './part.ts';
import { partColumns, type PayloadChoice } from './write-part.ts';

/** How parts of several requests are batched, and how many may be queued. */
export interface InsertLimits extends PayloadChoice {
  /** Where requests come together, inserts start at least this far apart, unless one is full. */
  readonly flushIntervalMs: number;
  /** What one insert may contain; a single larger request is an insert of its own. */
  readonly maxBatchRows: number;
  readonly maxBatchBytes: number;
  /** Inserts in flight at most. */
  readonly concurrency: number;
}

/** Gets the size of each batch that was inserted. */
export type ObserveBatch = (batch: { readonly rows: number; readonly bytes: number }) => void;

/** Inserts parts into ClickHouse; requests that come together share an insert. */
export class PartInserter implements PayloadChoice {
  readonly keepPayloads: boolean;
  readonly #clickhouse: ClickHouse;
  readonly #batcher: Batcher<EncodedParts, void>;
  readonly #inFlight = new Set<readonly EncodedParts[]>();
  readonly #observeBatch: ObserveBatch;

  constructor(clickhouse: ClickHouse, limits: InsertLimits, observeBatch: ObserveBatch) {
    this.#clickhouse = clickhouse;
    this.keepPayloads = limits.keepPayloads;
    this.#observeBatch = observeBatch;
    this.#batcher = new Batcher({
      queue: 'inserts',
      concurrency: limits.concurrency,
      maxQueued: Infinity, // The memory budget is the bound.
      flushIntervalMs: limits.flushIntervalMs,
      maxBatchSize: [limits.maxBatchRows, limits.maxBatchBytes],
      sizeOf: ({ rows, bytes }) => [rows, bytes],
      isOrdered: true,
      run: (requests) => this.#insertBatch(requests),
      splitInto: 'halves',
    });
  }

  /** Encodes the parts of one request, for {@link insert}. */
  newEncoder(): PartEncoder {
    return new PartEncoder(new RowBinary(), this);
  }

  /**
   * Inserts the parts of one request: when it resolves, all are in ClickHouse. An end without a trace gets that of its
   * start if it is known by now.
   *
   * @param reservation the memory of the request's body, which becomes that of its rows
   * @returns one answer per part, in order
   * @throws {MemoryBudgetError} the budget has no room for the rows
   * @throws {ClickHouseOverloadedError} ClickHouse has no room or no time; as of all errors, some or none are stored
   * @throws {ClickHouseUnavailableError} ClickHouse cannot be reached
   */
  async insert(encoder: PartEncoder, reservation: Reservation): Promise<readonly PartAnswer[]> {
    if (encoder.rows === 0) return [];
    reservation.resize(encoder.heldBytes);
    const encoded = encoder.finish();
    const rowsReservation = reservation.move();
    try {
      await this.#batcher.add(encoded);
    } finally {
      rowsReservation.release();
    }
    return encoded.answers;
  }

  queueUse(): QueueUse {
    return this.#batcher.use();
  }

  async #insertBatch(requests: readonly EncodedParts[]): Promise<void> {
    this.#inFlight.add(requests);
    try {
      const chunks = await this.#fillInTraces(requests.flatMap(({ pieces }) => pieces));
      await this.#clickhouse.insertBinary('call_parts', partColumns, chunks);
      this.#observeBatch({
        rows: sumOf(requests.map(({ rows }) => rows)),
        bytes: sumOf(chunks.map(({ length }) => length)),
      });
    } catch (error) {
      if (!(error instanceof QueryTimeoutError)) throw error;
      throw new ClickHouseOverloadedError('ClickHouse did not insert calls in time', {
        cause: error,
      });
    } finally {
      this.#inFlight.delete(requests);
    }
  }

  /** Puts traces in the place of orphan ends; those that are not found now get an empty one. */
  async #fillInTraces(pieces: readonly (Buffer | OrphanEnd)[]): Promise<Buffer[]> {
    const ends = pieces.filter((piece): piece is OrphanEnd => !Buffer.isBuffer(piece));
    if (ends.length === 0) return pieces.filter((piece) => Buffer.isBuffer(piece));
    const starts = [...this.#inFlight].flat().flatMap((request) => request.starts);
    const traces = await findTraces(this.#clickhouse, ends, starts);
    const writer = new RowBinary();
    return pieces.map((piece) => {
      if (Buffer.isBuffer(piece)) return piece;
      writer.string(traces.find(piece) ?? '');
      return writer.take();
    });
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
