/** How long work may run until the event loop handles other events. */
const maxTurnMs = 10;

/**
 * Runs short synchronous work of many requests, about 10 ms of it in each turn of the event loop, in order of arrival.
 * What is beyond that waits for the next turn, so that neither one fast sender nor forty block the event loop.
 */
class EventLoopShare {
  readonly #waiting: (() => void)[] = [];
  #usedMs = 0;
  #totalMs = 0;
  #isTurnRequested = false;

  /** How long work has run since the process started. */
  get totalMs(): number {
    return this.#totalMs;
  }

  /** Runs the work at once if this turn has time left; rejects with what it throws. */
  async run<Result>(work: () => Result): Promise<Result> {
    if (this.#usedMs >= maxTurnMs || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const startedAt = performance.now();
    try {
      return work();
    } finally {
      const workMs = performance.now() - startedAt;
      this.#usedMs += workMs;
      this.#totalMs += workMs;
      this.#requestTurn();
      if (this.#usedMs < maxTurnMs) this.#waiting.shift()?.();
    }
  }

  #requestTurn(): void {
    if (this.#isTurnRequested) return;
    this.#isTurnRequested = true;
    setImmediate(() => {
      this.#isTurnRequested = false;
      this.#usedMs = 0;
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#requestTurn();
      next();
    });
  }
}

/** There is one event loop, so all bodies share it here. */
export const eventLoopShare = new EventLoopShare();
