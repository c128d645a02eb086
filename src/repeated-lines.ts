/** How often repeated lines of one kind are summarised. */
const summaryIntervalMs = 1_000;

/**
 * Keeps an outage from filling the log: of lines of one kind the first is written, and then at most one a second, with
 * the number of those that it stands for.
 */
export class RepeatedLines {
  /** For each kind that was written less than the interval ago, how many followed. */
  readonly #followers = new Map<string, number>();

  /**
   * @param kind of a closed set
   * @param summarize writes the line that stands for `count` others
   * @returns whether the caller writes this line itself
   */
  isFirst(kind: string, summarize: (count: number) => void): boolean {
    const count = this.#followers.get(kind);
    this.#followers.set(kind, count === undefined ? 0 : count + 1);
    if (count === undefined) this.#startInterval(kind, summarize);
    return count === undefined;
  }

  #startInterval(kind: string, summarize: (count: number) => void): void {
    const onEnd = (): void => {
      const count = this.#followers.get(kind) ?? 0;
      if (count === 0) {
        this.#followers.delete(kind);
        return;
      }
      this.#followers.set(kind, 0);
      summarize(count);
      this.#startInterval(kind, summarize);
    };
    setTimeout(onEnd, summaryIntervalMs).unref();
  }
}
