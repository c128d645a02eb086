import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  QueryTimeoutError,
} from '../clickhouse/errors.ts';

/** What one request wants to be committed; it is never split. */
export interface Committable {
  readonly rows: number;
  readonly bytes: number;
}

/** How requests are put together. */
export interface GroupLimits {
  /** How long a request may wait for others, where there are others. */
  readonly windowMs: number;
  /** A commit takes no further request once it would have more rows or bytes; a larger request is one alone. */
  readonly rows: number;
  readonly bytes: number;
  /** Commits under way at most. */
  readonly concurrency: number;
}

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Puts what many requests want to be stored into few commits, in order of arrival.
 *
 * Who comes alone is committed at once. Where requests come together, a commit begins `windowMs` after the one
 * before it, or as soon as one is full, as long as fewer than `atOnce` are under way.
 */
export class GroupCommit<T extends Committable> {
  readonly #limits: GroupLimits;
  readonly #commit: (items: readonly T[]) => Promise<void>;
  #waiting: Waiting<T>[] = [];
  #rows = 0;
  #bytes = 0;
  #inFlight = 0;
  #lastStart = -Infinity;
  #lastWasShared = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param commit stores all of several items, or rejects and has stored some or none of them */
  constructor(limits: GroupLimits, commit: (items: readonly T[]) => Promise<void>) {
    this.#limits = limits;
    this.#commit = commit;
  }

  /** Resolves when the item is committed; rejects with why it could not be. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#rows += item.rows;
      this.#bytes += item.bytes;
      this.#startWhatIsDue();
    });
  }

  #startWhatIsDue(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0 && this.#inFlight < this.#limits.concurrency) {
      const waitMs = this.#msUntilDue();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.#startWhatIsDue();
        }, waitMs);
        return;
      }
      void this.#run(this.#takeGroup());
    }
  }

  #msUntilDue(): number {
    if (this.#rows >= this.#limits.rows || this.#bytes >= this.#limits.bytes) return 0;
    if (this.#inFlight === 0 && !this.#lastWasShared) return 0;
    return Math.ceil(this.#lastStart + this.#limits.windowMs - performance.now());
  }

  /** The first request that waits, and those behind it that fit in. */
  #takeGroup(): Waiting<T>[] {
    let [count, rows, bytes] = [0, 0, 0];
    for (const { item } of this.#waiting) {
      const isFull =
        rows + item.rows > this.#limits.rows || bytes + item.bytes > this.#limits.bytes;
      if (count > 0 && isFull) break;
      count += 1;
      rows += item.rows;
      bytes += item.bytes;
    }
    this.#rows -= rows;
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  async #run(group: readonly Waiting<T>[]): Promise<void> {
    this.#inFlight += 1;
    this.#lastStart = performance.now();
    this.#lastWasShared = group.length > 1;
    await this.#settle(group);
    this.#inFlight -= 1;
    this.#startWhatIsDue();
  }

  /**
   * Commits a group. Where ClickHouse refuses what is in it, one request may be the cause: both halves are
   * tried for themselves, so that all others are stored and that one alone fails.
   */
  async #settle(group: readonly Waiting<T>[]): Promise<void> {
    try {
      await this.#commit(group.map(({ item }) => item));
    } catch (error) {
      if (group.length === 1 || !mayConcernOne(error)) {
        for (const { reject } of group) reject(error);
        return;
      }
      const half = Math.ceil(group.length / 2);
      await this.#settle(group.slice(0, half));
      await this.#settle(group.slice(half));
      return;
    }
    for (const { resolve } of group) resolve();
  }
}

/** Whether an error may come from what one request sent; want of room, of time or of ClickHouse concerns all. */
function mayConcernOne(error: unknown): boolean {
  const common = [ClickHouseUnavailableError, ClickHouseOverloadedError, QueryTimeoutError];
  return !common.some((each) => error instanceof each);
}
