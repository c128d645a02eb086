import type { ReadOptions } from '../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../clickhouse/errors.ts';
import type { Reservation } from '../memory-budget.ts';
import { toJsonPieces } from '../slices/json-pieces.ts';
import { runInSlices } from '../slices/run-in-slices.ts';
import type { TurnQueue } from '../queues/turn-queue.ts';

/** How large answers may be. */
export interface AnswerLimits {
  readonly maxAnswerBytes: number;
  /** Memory of the rows of one request, as the memory budget counts it. */
  readonly maxRowBytes: number;
}

/** What an answer is written with. */
export interface AnswerContext {
  /** Grows with what is read for the answer, and has the bytes of the answer in the end. */
  readonly reservation: Reservation;
  readonly signal: AbortSignal;
}

/** Pieces of text or of a file; undefined where there was work without a piece. */
export type AnswerFragments = Iterable<string | Uint8Array | undefined>;

/** What rows and sums take for each byte of their text, garbage apart; as in query-usage.ts. */
const memoryPerByte = 2;

/** Answers requests when their turn has come. */
export class AnswerQueue {
  readonly #limits: AnswerLimits;
  readonly #queue: TurnQueue;

  constructor(queue: TurnQueue, limits: AnswerLimits) {
    this.#limits = limits;
    this.#queue = queue;
  }

  /**
   * Waits for the request's turn, reads, and writes what the fragments say.
   * @returns the answer in pieces
   * @throws {QueueFullError} too many requests are queued
   * @throws {MemoryBudgetError} there is no memory for the answer
   * @throws {ResultTooLargeError} what is read, or the answer, is too large
   */
  async add(
    { reservation, signal }: AnswerContext,
    toFragments: (options: Required<ReadOptions>) => Promise<AnswerFragments>,
  ): Promise<Uint8Array[]> {
    const run = async (signal: AbortSignal): Promise<Uint8Array[]> => {
      reservation.resize(0);
      const fragments = await toFragments(this.#toReadOptions(reservation, signal));
      const rowBytes = reservation.bytes;
      const pieces = await runInSlices(
        toJsonPieces(fragments, (bytes) => {
          reservation.resize(reservation.bytes + bytes);
          if (reservation.bytes - rowBytes > this.#limits.maxAnswerBytes) {
            throw new ResultTooLargeError('The answer is too large');
          }
        }),
        signal,
      );
      reservation.resize(reservation.bytes - rowBytes);
      return pieces;
    };
    return await this.#queue.run(reservation.key, signal, run);
  }

  #toReadOptions(reservation: Reservation, signal: AbortSignal): Required<ReadOptions> {
    const reserve = (bytes: number): void => {
      const total = reservation.bytes + bytes * memoryPerByte;
      if (total > this.#limits.maxRowBytes) {
        throw new ResultTooLargeError('The rows take too much memory');
      }
      reservation.resize(total);
    };
    return { signal, reserve };
  }
}
