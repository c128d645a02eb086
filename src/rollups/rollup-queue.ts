/** A trace that has no valid rollup. */
export interface UnrolledTrace {
  readonly project_id: string;
  readonly trace_id: string;
  /** The sum of the checksums of its rows, as text. */
  readonly checksum: string;
  /** About the number of its calls, as text. */
  readonly rows: string;
}

interface QueuedTrace extends UnrolledTrace {
  /** When this checksum was seen first. */
  readonly changedAtMs: number;
}

/** How many traces {@link RollupQueue.take} looks at. */
const maxVisited = 10_000;

/** Traces to roll up, in the order of their last change. */
export class RollupQueue {
  readonly #traces = new Map<string, QueuedTrace>();

  get size(): number {
    return this.#traces.size;
  }

  /** When the trace that has waited longest changed last. */
  get oldestChangeMs(): number | undefined {
    const [oldest] = this.#traces.values();
    return oldest?.changedAtMs;
  }

  /** Adds a trace, or moves it to the end if its checksum is another one than before. */
  add(trace: UnrolledTrace, nowMs: number): void {
    const key = toKey(trace);
    if (this.#traces.get(key)?.checksum === trace.checksum) return;
    this.#traces.delete(key);
    this.#traces.set(key, { ...trace, changedAtMs: nowMs });
  }

  /**
   * Removes and returns traces of one project that have not changed after `unchangedSinceMs`.
   * @param maxRows how many rows they may have together; a larger trace is returned alone
   */
  take(unchangedSinceMs: number, maxRows: number): UnrolledTrace[] {
    const taken: UnrolledTrace[] = [];
    let rows = 0;
    let visited = 0;
    for (const [key, trace] of this.#traces) {
      visited += 1;
      if (trace.changedAtMs > unchangedSinceMs || visited > maxVisited) break;
      const [first] = taken;
      if (first !== undefined && first.project_id !== trace.project_id) continue;
      rows += Number(trace.rows);
      if (first !== undefined && rows > maxRows) break;
      this.#traces.delete(key);
      taken.push(trace);
    }
    return taken;
  }
}

function toKey({ project_id, trace_id }: UnrolledTrace): string {
  return JSON.stringify([project_id, trace_id]);
}
