import { ClickHouseOverloadedError } from '../clickhouse/errors.ts';

/** Bytes that one request holds: first its body, then the rows that are made of it. */
export interface Reservation {
  /**
   * Ends this hold for one of another size, which lives on by itself: rows wait on when their client hangs up.
   * @throws {ClickHouseOverloadedError} nothing is held here, since the size was unknown, and there is no room
   */
  resize(bytes: number): Reservation;
  /** Ends the hold; a second time does nothing. */
  release(): void;
}

/** Counts what requests hold in memory, so that there is an end to it. */
export class MemoryBudget {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws {ClickHouseOverloadedError} there would be too many; the first is taken however large it is */
  reserve(bytes: number): Reservation {
    this.#refuseBeyondLimit(bytes);
    return this.#take(bytes);
  }

  #take(bytes: number): Reservation {
    let own = bytes;
    this.#held += own;
    const release = (): void => {
      this.#held -= own;
      own = 0;
    };
    const resize = (next: number): Reservation => {
      if (own === 0) this.#refuseBeyondLimit(next);
      release();
      return this.#take(next);
    };
    return { resize, release };
  }

  #refuseBeyondLimit(bytes: number): void {
    if (this.#held === 0 || this.#held + bytes <= this.#limit) return;
    throw new ClickHouseOverloadedError(`${String(this.#held)} bytes of calls wait for ClickHouse`);
  }
}
