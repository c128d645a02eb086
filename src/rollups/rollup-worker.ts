import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouse, Log, Server } from '../clickhouse/clickhouse.ts';
import type { QueryName } from '../clickhouse/client/statements/queries.ts';
import { ClickHouseOverloadedError, QueryTimeoutError } from '../clickhouse/errors.ts';
import { RollupQueue, type UnrolledTrace } from './rollup-queue.ts';
import { rollupStatements } from './rules-version.ts';

export interface RollupOptions {
  /** Of the rules that this service counts by. */
  readonly rulesVersion: string;
  /** Pause between two rounds. */
  readonly intervalMs: number;
  /** How long a trace must be unchanged. */
  readonly quietMs: number;
  /** Calls that one statement rolls up; a larger trace is rolled up alone. */
  readonly batchCalls: number;
  /** Time after which all parts are searched again, for traces whose rollup was lost. */
  readonly searchAllMs: number;
  readonly log: Log;
}

/** What the worker has done, and what it has still to do. */
export interface RollupProgress {
  readonly queuedTraces: number;
  /** How long the trace that has waited longest has been due. */
  readonly lagMs: number;
  readonly rolledUpTraces: number;
  readonly rolledUpCalls: number;
  /** Traces that were not rolled up: those with too many groups, or that changed meanwhile. */
  readonly skippedTraces: number;
  readonly failures: number;
}

/** Traces that wait for their turn; more wait in ClickHouse. */
const maxQueuedTraces = 50_000;

/** Traces that one search returns. */
const maxFoundTraces = 10_000;

/** A trace with more groups and open calls than this is not rolled up: its rollup would be no smaller. */
export const maxGroups = 10_000;

/** The least pause after a round that failed. */
const retryMs = 10_000;

/** What is known of a server. */
interface ServerState {
  readonly queue: RollupQueue;
  /** The parts whose traces have all been queued. */
  searched: ReadonlySet<string>;
  searchedAllAtMs: number;
  /** A search of parts that have not been listed before, and how far it has come. */
  search: { readonly parts: readonly string[]; after: TraceId } | undefined;
}

type TraceId = Pick<UnrolledTrace, 'project_id' | 'trace_id'>;

const first: TraceId = { project_id: '', trace_id: '' };

/**
 * Rolls up traces that have not changed for a while. Several services may run it: per server, one at a time rolls up.
 * Nothing has to be remembered for a restart, because traces without a valid rollup are found by comparison.
 */
export class RollupWorker {
  readonly #clickhouse: Pick<ClickHouse, 'ready' | 'servers'>;
  readonly #options: RollupOptions;
  readonly #stopping = new AbortController();
  /** A server of a new session is another one, so all its parts are searched. */
  #states = new Map<Server, ServerState>();
  #counts = { rolledUpTraces: 0, rolledUpCalls: 0, skippedTraces: 0, failures: 0 };
  readonly #working: Promise<void>;

  constructor(clickhouse: Pick<ClickHouse, 'ready' | 'servers'>, options: RollupOptions) {
    this.#clickhouse = clickhouse;
    this.#options = options;
    this.#working = this.#work();
  }

  progress(): RollupProgress {
    const queues = [...this.#states.values()].map(({ queue }) => queue);
    const dueMs = queues.map(({ oldestChangeMs }) =>
      oldestChangeMs === undefined ? 0 : Date.now() - oldestChangeMs - this.#options.quietMs,
    );
    const queuedTraces = queues.reduce((sum, { size }) => sum + size, 0);
    return { ...this.#counts, queuedTraces, lagMs: Math.max(0, ...dueMs) };
  }

  /** Resolves when the statement that runs has ended; closing ClickHouse aborts it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    await this.#clickhouse.ready.catch(() => undefined);
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const { servers } = this.#clickhouse;
      this.#states = new Map(servers.map((server) => [server, this.#stateOf(server)]));
      let hasFailed = false;
      for (const [server, state] of this.#states) {
        hasFailed = !(await this.#tryRound(server, state)) || hasFailed;
      }
      const { intervalMs } = this.#options;
      const pauseMs = hasFailed ? Math.max(intervalMs, retryMs) : intervalMs;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #stateOf(server: Server): ServerState {
    const state = this.#states.get(server);
    if (state !== undefined) return state;
    return {
      queue: new RollupQueue(),
      searched: new Set(),
      searchedAllAtMs: Date.now(),
      search: undefined,
    };
  }

  /** Returns false if it failed. */
  async #tryRound(server: Server, state: ServerState): Promise<boolean> {
    try {
      await this.#findTraces(server, state);
      const due = this.#takeDue(state);
      if (due.length === 0) return true;
      const hadLock = await server.withLock('rollups', () => this.#rollUpAll(server, state, due));
      // Another service rolls up, probably these; the next round finds out.
      if (!hadLock) for (const trace of due) state.queue.add(trace, Date.now());
      return true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return true;
      this.#counts.failures += 1;
      this.#options.log.warn({ err: error, url: server.url }, 'traces were not rolled up');
      // What was taken from the queue is found again.
      this.#states.delete(server);
      return false;
    }
  }

  /** Queues the traces in parts that were not listed before, as far as there is room. */
  async #findTraces(server: Server, state: ServerState): Promise<void> {
    const now = Date.now();
    if (now - state.searchedAllAtMs > this.#options.searchAllMs) {
      state.searched = new Set();
      state.searchedAllAtMs = now;
    }
    const rows = await server.read<{ name: string }>('list_parts', {});
    const active = rows.map(({ name }) => name);
    state.search ??= {
      parts: active.filter((name) => !state.searched.has(name)),
      after: first,
    };
    const { search } = state;
    while (search.parts.length > 0) {
      if (state.queue.size + maxFoundTraces > maxQueuedTraces) return;
      const traces = await this.#searchParts(server, search);
      for (const trace of traces) state.queue.add(trace, Date.now());
      const last = traces.at(-1);
      if (last === undefined || traces.length < maxFoundTraces) break;
      search.after = last;
    }
    const searched = new Set(search.parts);
    state.searched = new Set(
      active.filter((name) => searched.has(name) || state.searched.has(name)),
    );
    state.search = undefined;
  }

  async #searchParts(
    server: Server,
    { parts, after }: { readonly parts: readonly string[]; readonly after: TraceId },
  ): Promise<UnrolledTrace[]> {
    return await server.read<UnrolledTrace>('find_traces_to_roll_up', {
      parts,
      after_project: after.project_id,
      after_trace: after.trace_id,
      rules_version: this.#options.rulesVersion,
      max_traces: maxFoundTraces,
    });
  }

  #takeDue({ queue }: ServerState): UnrolledTrace[] {
    const { quietMs, batchCalls } = this.#options;
    return queue.take(Date.now() - quietMs, batchCalls);
  }

  async #rollUpAll(
    server: Server,
    state: ServerState,
    due: readonly UnrolledTrace[],
  ): Promise<void> {
    for (
      let traces = due;
      traces.length > 0 && !this.#stopping.signal.aborted;
      traces = this.#takeDue(state)
    ) {
      await this.#rollUp(server, traces);
    }
  }

  /** Traces that need too much time or memory together are rolled up by halves; one that does alone is skipped. */
  async #rollUp(server: Server, traces: readonly UnrolledTrace[]): Promise<void> {
    try {
      await this.#rollUpBatch(server, traces);
    } catch (error) {
      const isTooLarge =
        error instanceof QueryTimeoutError || error instanceof ClickHouseOverloadedError;
      if (!isTooLarge) throw error;
      if (traces.length === 1) {
        const [{ project_id, trace_id }] = traces as [UnrolledTrace];
        this.#options.log.warn({ err: error, project_id, trace_id }, 'a trace was not rolled up');
        this.#counts.skippedTraces += 1;
        return;
      }
      const middle = traces.length >> 1;
      await this.#rollUp(server, traces.slice(0, middle));
      await this.#rollUp(server, traces.slice(middle));
    }
  }

  async #rollUpBatch(server: Server, traces: readonly UnrolledTrace[]): Promise<void> {
    const { rulesVersion: rules_version } = this.#options;
    // Another service may have been faster.
    const unrolled = await findUnrolled(server, traces, rules_version);
    let remaining = unrolled;
    const write = async (statement: QueryName, more: object): Promise<void> => {
      if (remaining.length === 0) return;
      await server.write(statement, { ...toParameters(remaining), rules_version, ...more });
      remaining = await findUnrolled(server, remaining, rules_version);
    };
    for (const statement of rollupStatements) {
      // Traces without calls are more frequent than those of the last statement.
      if (statement === 'roll_up_whole_traces') await write('roll_up_empty_traces', {});
      await write(statement, { max_groups: maxGroups, is_explained: false });
    }
    this.#counts.skippedTraces += remaining.length;
    this.#counts.rolledUpTraces += unrolled.length - remaining.length;
    this.#counts.rolledUpCalls += countRows(unrolled) - countRows(remaining);
  }
}

/** Those without a rollup for their checksum. */
async function findUnrolled(
  server: Server,
  traces: readonly UnrolledTrace[],
  rules_version: string,
): Promise<readonly UnrolledTrace[]> {
  const parameters = { ...toParameters(traces), rules_version };
  const rows = await server.read<{ trace_id: string }>('find_unrolled_traces', parameters);
  const unrolled = new Set(rows.map(({ trace_id }) => trace_id));
  return traces.filter(({ trace_id }) => unrolled.has(trace_id));
}

/** @param traces of one project */
function toParameters(traces: readonly UnrolledTrace[]) {
  return {
    project_id: traces[0]?.project_id ?? '',
    trace_ids: traces.map(({ trace_id }) => trace_id),
    checksums: traces.map(({ checksum }) => checksum),
  };
}

function countRows(traces: readonly UnrolledTrace[]): number {
  return traces.reduce((sum, { rows }) => sum + Number(rows), 0);
}
