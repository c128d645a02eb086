import { Batcher, type QueueUse } from './batcher.ts';
import type { Queue } from './queue-errors.ts';

interface Turn {
  readonly owner: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

interface TurnLimits {
  readonly concurrency: number;
  readonly maxQueued: number;
  readonly maxWaitMs: number;
}

/** Lets a bounded number of reads run at a time; the others wait in a bounded queue, in which owners take turns. */
export class TurnQueue {
  readonly #batcher: Batcher<Turn, void>;

  constructor(queue: Queue, limits: TurnLimits) {
    this.#batcher = new Batcher({
      queue,
      ...limits,
      flushIntervalMs: 0,
      maxBatchSize: [1],
      sizeOf: () => [1],
      ownerOf: ({ owner }) => owner,
      isOrdered: false,
      run: ([turn], signal) => (turn as Turn).run(signal),
      splitInto: 'items',
    });
  }

  /**
   * Resolves with what `read` returns when its turn has come.
   * @throws {QueueFullError} too many reads wait
   * @throws {QueueWaitError} it has waited for too long; otherwise what `read` rejects with
   */
  async run<Result>(
    owner: string,
    signal: AbortSignal,
    read: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const results: Result[] = [];
    const run = async (signal: AbortSignal): Promise<void> => void results.push(await read(signal));
    // The batcher listens to a signal for good; one request may have thousands of turns.
    const turn = new AbortController();
    const abort = (): void => turn.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    try {
      await this.#batcher.add({ owner, run }, turn.signal);
    } finally {
      signal.removeEventListener('abort', abort);
    }
    return results[0] as Result;
  }

  queueUse(): QueueUse {
    return this.#batcher.use();
  }
}
