import { QueueFullError } from '../batcher.ts';

/** Bounds the memory that requests take for their bodies and for the rows that wait to be inserted. */
export class MemoryBudget {
  readonly #limitBytes: number;
  #reservedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /**
   * Reserves memory for one request. The first reservation is granted however large it is.
   * @throws {QueueFullError} the limit would be exceeded
   */
  reserve(bytes: number): Reservation {
    this.#refuseBeyondLimit(bytes);
    return this.#toReservation(bytes);
  }

  #toReservation(bytes: number): Reservation {
    let ownBytes = bytes;
    this.#reservedBytes += ownBytes;
    const release = (): void => {
      this.#reservedBytes -= ownBytes;
      ownBytes = 0;
    };
    const resize = (newBytes: number): Reservation => {
      if (ownBytes === 0) this.#refuseBeyondLimit(newBytes);
      release();
      return this.#toReservation(newBytes);
    };
    return { resize, release };
  }

  #refuseBeyondLimit(bytes: number): void {
    const reserved = this.#reservedBytes;
    if (reserved === 0 || reserved + bytes <= this.#limitBytes) return;
    throw new QueueFullError('inserts', `${reserved} bytes are reserved for calls to insert`);
  }
}

/** The memory of one request: first that of its body, then that of the rows made from it. */
export interface Reservation {
  /**
   * Replaces this reservation by one of another size. Releasing the old one then does nothing, so that rows stay
   * counted when their client disconnects.
   * @throws {QueueFullError} the old size was 0, that is unknown, and the limit would be exceeded
   */
  resize(bytes: number): Reservation;
  /** Ends the reservation; a second call does nothing. */
  release(): void;
}
