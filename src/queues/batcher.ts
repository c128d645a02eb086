import {
  ClickHouseOverloadedError,
  ClickHouseUnavailableError,
  DiskFullError,
} from '../clickhouse/errors.ts';
import { type Queue, QueueFullError, QueueWaitError } from './queue-errors.ts';

/** How a {@link Batcher} forms, runs and retries batches. */
export interface BatcherOptions<Item, Result> {
  /** Named by {@link QueueFullError}. */
  readonly queue: Queue;
  /** Batches in flight at most. */
  readonly concurrency: number;
  /** Items that may be queued; the next one is refused. */
  readonly maxQueued: number;
  /** How long an item may be queued before its first batch; by default for ever. */
  readonly maxWaitMs?: number;
  /** After a batch of several items, the next one starts no earlier than this, unless it is full. */
  readonly flushIntervalMs: number;
  /** What the items of one batch may add up to, in the units of `sizeOf`; a larger item is a batch of its own. */
  readonly maxBatchSize: Size;
  readonly sizeOf: (item: Item) => Size;
  /** Whether two items may share a batch; by default any two. */
  readonly canShare?: (a: Item, b: Item) => boolean;
  /**
   * Whose item it is; by default all are of one owner. One owner always leaves a batch in flight to others, and in a full
   * queue the owner with the most items loses its youngest one to an owner with fewer. Only for items without an order.
   */
  readonly ownerOf?: (item: Item) => string;
  /** Whether items keep their order, so that a batch ends at the first one that cannot join it. */
  readonly isOrdered: boolean;
  /**
   * Runs one batch.
   * @param signal fires when the signals of all its items have fired
   */
  readonly run: (items: readonly Item[], signal: AbortSignal) => Promise<Result>;
  /** The parts in which a failed batch is tried again. */
  readonly splitInto: 'halves' | 'items';
}

/** What a batcher does at the moment, and what it has refused since the start. */
export interface QueueUse {
  readonly queued: number;
  readonly inFlight: number;
  readonly refused: number;
}

/** One number for each unit, such as rows and bytes. */
type Size = readonly number[];

interface Entry<Item, Result> {
  readonly item: Item;
  readonly size: Size;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
  /** Ends the wait for a first batch. */
  timer?: NodeJS.Timeout;
}

type Batch<Item, Result> = Entry<Item, Result>[];

/**
 * Runs items of many requests together, in few batches.
 *
 * A lone item runs at once. While as many batches as allowed are in flight, or the flush interval of a batch of
 * several items has not passed, items are queued. A batch that fails for what one of its items may have caused is
 * split: its parts run before the queue, and in the end that item fails alone.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #queue: Batch<Item, Result> = [];
  #queuedSize: Size;
  /** Parts of failed batches. */
  #retries: Batch<Item, Result>[] = [];
  #inFlight = 0;
  readonly #inFlightOf = new Map<string, number>();
  #refused = 0;
  #lastStart = -Infinity;
  #lastWasShared = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
    this.#queuedSize = options.maxBatchSize.map(() => 0);
  }

  /**
   * Resolves with the result of the batch that contained the item.
   *
   * @param signal takes the item out of the queue; the promise rejects with its reason at once
   * @throws {QueueFullError} too many items are queued
   * @throws {QueueWaitError} the item was queued for too long; otherwise what `run` rejects with
   */
  async add(item: Item, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    const { maxQueued, maxWaitMs, sizeOf } = this.#options;
    if (this.use().queued >= maxQueued) this.#makeRoom(item);
    return await new Promise((resolve, reject) => {
      const entry: Entry<Item, Result> = { item, size: sizeOf(item), signal, resolve, reject };
      this.#queue.push(entry);
      if (maxWaitMs !== undefined) entry.timer = setTimeout(() => this.#giveUp(entry), maxWaitMs);
      this.#queuedSize = add(this.#queuedSize, entry.size);
      signal?.addEventListener('abort', () => {
        this.#remove(entry);
        reject(signal.reason as Error);
      });
      this.#startBatches();
    });
  }

  use(): QueueUse {
    const queued = this.#queue.length + this.#retries.flat().length;
    return { queued, inFlight: this.#inFlight, refused: this.#refused };
  }

  /** @throws {QueueFullError} no other owner has more items in the queue */
  #makeRoom(item: Item): void {
    const { queue } = this.#options;
    this.#refused += 1;
    const error = new QueueFullError(queue, `${this.use().queued} ${queue} are queued`);
    const queuedOf = new Map([[this.#ownerOf(item), 1]]);
    for (const each of this.#queue) increase(queuedOf, this.#ownerOf(each.item), 1);
    const [largest] = [...queuedOf].sort(([, a], [, b]) => b - a)[0] ?? [];
    const victim = this.#queue.findLast((each) => this.#ownerOf(each.item) === largest);
    if (victim === undefined || largest === this.#ownerOf(item)) throw error;
    this.#remove(victim);
    victim.reject(error);
  }

  #giveUp(entry: Entry<Item, Result>): void {
    const { queue, maxWaitMs } = this.#options;
    this.#refused += 1;
    this.#remove(entry);
    entry.reject(new QueueWaitError(queue, `One of the ${queue} was queued for ${maxWaitMs} ms`));
  }

  #ownerOf(item: Item): string {
    return this.#options.ownerOf?.(item) ?? '';
  }

  #remove(entry: Entry<Item, Result>): void {
    clearTimeout(entry.timer);
    this.#retries = this.#retries
      .map((batch) => batch.filter((each) => each !== entry))
      .filter((batch) => batch.length > 0);
    if (!this.#queue.includes(entry)) return;
    this.#queue = this.#queue.filter((each) => each !== entry);
    this.#queuedSize = subtract(this.#queuedSize, entry.size);
  }

  #startBatches(): void {
    clearTimeout(this.#timer);
    while (this.#inFlight < this.#options.concurrency) {
      const batch = this.#retries.shift() ?? this.#takeDueBatch();
      if (batch === undefined) return;
      void this.#run(batch);
    }
  }

  /** @returns undefined if nothing is queued, or if it has to wait: for a batch in flight, or for a timer that is set */
  #takeDueBatch(): Batch<Item, Result> | undefined {
    if (this.#queue.length === 0) return undefined;
    const waitMs = this.#msUntilDue();
    if (waitMs > 0) {
      this.#timer = setTimeout(() => this.#startBatches(), waitMs);
      return undefined;
    }
    const batch = this.#takeBatch();
    if (batch.length === 0) return undefined;
    this.#lastStart = performance.now();
    this.#lastWasShared = batch.length > 1;
    return batch;
  }

  #msUntilDue(): number {
    const { flushIntervalMs, maxBatchSize } = this.#options;
    const isFull = this.#queuedSize.some((size, unit) => size >= (maxBatchSize[unit] ?? Infinity));
    const isLone = this.#inFlight === 0 && !this.#lastWasShared;
    if (isFull || isLone) return 0;
    return Math.ceil(this.#lastStart + flushIntervalMs - performance.now());
  }

  /** Takes the first item of the owner whose turn it is, and those that can join it; empty if all owners have to wait. */
  #takeBatch(): Batch<Item, Result> {
    const batch: Batch<Item, Result> = [];
    const skipped: Batch<Item, Result> = [];
    let batchSize = this.#options.maxBatchSize.map(() => 0);
    const first = this.#findNext();
    if (first === undefined) return batch;
    if (first !== this.#queue[0]) {
      this.#queue = [first, ...this.#queue.filter((each) => each !== first)];
    }
    for (const entry of this.#queue) {
      const size = add(batchSize, entry.size);
      if (this.#canJoin(batch, entry, size)) {
        batch.push(entry);
        batchSize = size;
      } else if (this.#options.isOrdered) {
        break;
      } else {
        skipped.push(entry);
      }
    }
    this.#queue = [...skipped, ...this.#queue.slice(batch.length + skipped.length)];
    this.#queuedSize = subtract(this.#queuedSize, batchSize);
    for (const { timer } of batch) clearTimeout(timer);
    return batch;
  }

  /** @returns the first queued item of the owner with the fewest batches in flight; undefined if each has its share */
  #findNext(): Entry<Item, Result> | undefined {
    const { concurrency, ownerOf } = this.#options;
    if (ownerOf === undefined) return this.#queue[0];
    let next: Entry<Item, Result> | undefined;
    let fewest = Math.max(1, concurrency - 1);
    for (const entry of this.#queue) {
      const inFlight = this.#inFlightOf.get(ownerOf(entry.item)) ?? 0;
      if (inFlight >= fewest) continue;
      next = entry;
      fewest = inFlight;
      if (fewest === 0) break;
    }
    return next;
  }

  #canJoin(batch: Batch<Item, Result>, { item }: Entry<Item, Result>, size: Size): boolean {
    const [first] = batch;
    if (first === undefined) return true;
    const { maxBatchSize, canShare } = this.#options;
    const fits = size.every((each, unit) => each <= (maxBatchSize[unit] ?? Infinity));
    return fits && (canShare === undefined || canShare(first.item, item));
  }

  async #run(batch: Batch<Item, Result>): Promise<void> {
    const [first] = batch;
    const owner = first === undefined ? '' : this.#ownerOf(first.item);
    this.#inFlight += 1;
    increase(this.#inFlightOf, owner, 1);
    try {
      const items = batch.map(({ item }) => item);
      const result = await this.#options.run(items, whenAllAborted(batch));
      for (const { resolve } of batch) resolve(result);
    } catch (error) {
      this.#retryOrReject(batch, error);
    }
    this.#inFlight -= 1;
    increase(this.#inFlightOf, owner, -1);
    this.#startBatches();
  }

  #retryOrReject(batch: Batch<Item, Result>, error: unknown): void {
    if (batch.length === 1 || concernsAll(error)) {
      for (const { reject } of batch) reject(error);
      return;
    }
    const remaining = batch.filter(({ signal }) => signal?.aborted !== true);
    const length = this.#options.splitInto === 'items' ? 1 : Math.ceil(remaining.length / 2);
    this.#retries = [...toChunks(remaining, length), ...this.#retries];
  }
}

/** Any other error may be the fault of one item. */
function concernsAll(error: unknown): boolean {
  return [ClickHouseUnavailableError, ClickHouseOverloadedError, DiskFullError].some(
    (each) => error instanceof each,
  );
}

/** Counts that reach 0 leave the map. */
function increase(counts: Map<string, number>, name: string, by: number): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}

function add(a: Size, b: Size): number[] {
  return a.map((size, unit) => size + (b[unit] ?? 0));
}

function subtract(a: Size, b: Size): number[] {
  return a.map((size, unit) => size - (b[unit] ?? 0));
}

function toChunks<T>(items: readonly T[], length: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += length) {
    chunks.push(items.slice(start, start + length));
  }
  return chunks;
}

/** An entry without a signal never aborts. */
function whenAllAborted(batch: readonly Pick<Entry<unknown, never>, 'signal'>[]): AbortSignal {
  const controller = new AbortController();
  let remaining = batch.length;
  for (const { signal } of batch) {
    const countAbort = (): void => {
      remaining -= 1;
      if (remaining === 0) controller.abort(signal?.reason);
    };
    if (signal?.aborted) countAbort();
    else signal?.addEventListener('abort', countAbort, { once: true });
  }
  return controller.signal;
}
