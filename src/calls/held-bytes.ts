import { EngineOverloadedError } from '../engine/engine.ts';

/** Bytes that one request holds: first its body, then the rows that are made of it. */
export interface Hold {
  /**
   * What was held is now something else of another size.
   * @throws {EngineOverloadedError} nothing was held before, since the size was unknown, and there is no room
   */
  become(bytes: number): void;
  /** Ends the hold; a second time does nothing. */
  release(): void;
}

/** Counts what requests hold in memory, so that there is an end to it. */
export class HeldBytes {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws {EngineOverloadedError} there would be too many; the first is taken however large it is */
  hold(bytes: number): Hold {
    let own = 0;
    const become = (next: number): void => {
      if (own === 0) this.#refuseBeyondLimit(next);
      this.#held += next - own;
      own = next;
    };
    become(bytes);
    return {
      become,
      release: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }

  #refuseBeyondLimit(bytes: number): void {
    if (this.#held === 0 || this.#held + bytes <= this.#limit) return;
    throw new EngineOverloadedError(`${String(this.#held)} bytes of calls wait for ClickHouse`);
  }
}
