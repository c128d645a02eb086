import { collectDefaultMetrics } from 'prom-client';
import type { QueueUse } from '../queues/batcher.ts';
import type { ClickHouse, Damage } from '../clickhouse/clickhouse.ts';
import { baseTables, derivedTables } from '../clickhouse/damage/damaged-parts.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { RollupProgress } from '../rollups/rollup-worker.ts';
import { type Readiness, unreadyReasons } from '../readiness.ts';
import type { Metrics, ReadMetric } from './metrics.ts';

/** The parts of the service that know numbers of their own. */
export interface WatchedService {
  readonly clickhouse: Pick<ClickHouse, 'ping' | 'restarts' | 'damage'>;
  readonly readiness: Readiness;
  readonly memoryBudget: MemoryBudget;
  readonly callsUsage: Queued;
  readonly callStats: Queued;
  readonly lists: Queued;
  readonly partInserter: Queued;
}

interface Queued {
  queueUse(): QueueUse;
}

/** Registers all metrics that are read when metrics are requested, and those of the process. */
export function watchService(metrics: Metrics, service: WatchedService): void {
  collectDefaultMetrics({ register: metrics.registry });
  const watched = [
    ...memoryMetrics(service),
    ...queueMetrics(service),
    ...clickHouseMetrics(service),
    notReadyMetric(service),
  ];
  for (const metric of watched) metrics.watch(metric);
}

function memoryMetrics({ memoryBudget }: WatchedService): ReadMetric[] {
  return [
    {
      name: 'calls_usage_memory_budget_bytes',
      type: 'gauge',
      help: 'Memory that requests may hold: all together, and those of one key.',
      label: 'scope',
      read: () => {
        const { totalBytes, perKeyBytes } = memoryBudget.use();
        return { total: totalBytes, key: perKeyBytes };
      },
    },
    {
      name: 'calls_usage_memory_held_bytes',
      type: 'gauge',
      help: 'Memory that requests hold: bodies, rows that wait to be inserted, answers that wait to be sent.',
      label: 'class',
      read: () => memoryBudget.use().bytesByClass,
    },
    {
      name: 'calls_usage_memory_refused_total',
      type: 'counter',
      help: 'Requests for memory that the budget had no room for.',
      label: 'class',
      read: () => memoryBudget.use().refusedByClass,
    },
  ];
}

function queueMetrics({
  callsUsage,
  callStats,
  lists,
  partInserter,
}: WatchedService): ReadMetric[] {
  const read = (field: keyof QueueUse) => () => ({
    usage: callsUsage.queueUse()[field],
    stats: callStats.queueUse()[field],
    lists: lists.queueUse()[field],
    inserts: partInserter.queueUse()[field],
  });
  return [
    {
      name: 'calls_usage_queued_requests',
      type: 'gauge',
      help: 'Requests that wait for a batch.',
      label: 'queue',
      read: read('queued'),
    },
    {
      name: 'calls_usage_batches_in_flight',
      type: 'gauge',
      help: 'Batches that ClickHouse is answering or inserting.',
      label: 'queue',
      read: read('inFlight'),
    },
    {
      name: 'calls_usage_queue_refused_total',
      type: 'counter',
      help: 'Requests that were refused because the queue was full, or because they were queued for longer than QUEUE_TIMEOUT_MS.',
      label: 'queue',
      read: read('refused'),
    },
  ];
}

function clickHouseMetrics({ clickhouse }: WatchedService): ReadMetric[] {
  return [
    {
      name: 'calls_usage_clickhouse_up',
      type: 'gauge',
      help: 'Whether ClickHouse answers a ping now.',
      read: () =>
        clickhouse.ping().then(
          () => 1,
          () => 0,
        ),
    },
    {
      name: 'calls_usage_clickhouse_restarts_total',
      type: 'counter',
      help: 'How often ClickHouse was lost and opened again; an embedded one was then restarted.',
      read: () => clickhouse.restarts,
    },
    {
      name: 'calls_usage_damaged_parts',
      type: 'gauge',
      help: 'Parts that ClickHouse has detached because they are damaged, and whose rows are missing.',
      label: 'table',
      read: () => countByTable(clickhouse.damage),
    },
  ];
}

function notReadyMetric({ readiness }: WatchedService): ReadMetric {
  // Whether ClickHouse is available is a metric of its own, which needs a ping.
  const { clickhouse_unavailable: _, ...reported } = unreadyReasons;
  return {
    name: 'calls_usage_not_ready',
    type: 'gauge',
    help: 'Whether the service is not ready for this reason.',
    label: 'reason',
    read: () => {
      const current = new Set<string>(readiness.reasons.map(({ code }) => code));
      const codes = Object.keys(reported);
      return Object.fromEntries(codes.map((code) => [code, Number(current.has(code))]));
    },
  };
}

/** What the HTTP layer knows of its connections and bodies. */
export interface WatchedServer {
  readonly maxConnections: number;
  openConnections(): Promise<number>;
  /** Time for which the event loop scanned, parsed and validated bodies. */
  parsingMs(): number;
}

/** The same for the server, which is opened last. */
export function watchServer(metrics: Metrics, server: WatchedServer): void {
  metrics.watch({
    name: 'calls_usage_open_connections',
    type: 'gauge',
    help: 'Connections of clients that are open.',
    read: () => server.openConnections(),
  });
  metrics.watch({
    name: 'calls_usage_max_connections',
    type: 'gauge',
    help: 'MAX_CONNECTIONS, or fewer where the limit of open files is low.',
    read: () => server.maxConnections,
  });
  metrics.watch({
    name: 'calls_usage_body_parsing_seconds_total',
    type: 'counter',
    help: 'Time for which the event loop scanned, parsed and validated bodies.',
    read: () => server.parsingMs() / 1_000,
  });
}

/** What the worker that rolls traces up knows; undefined where rollups are switched off. */
export function watchRollups(metrics: Metrics, read: () => RollupProgress | undefined): void {
  const watched = [
    {
      name: 'calls_usage_rollup_queued_traces',
      type: 'gauge',
      help: 'Traces without a valid rollup that wait to be rolled up.',
      read: () => read()?.queuedTraces ?? 0,
    },
    {
      name: 'calls_usage_rollup_lag_seconds',
      type: 'gauge',
      help: 'How long the trace that waits longest could have been rolled up.',
      read: () => (read()?.lagMs ?? 0) / 1_000,
    },
    {
      name: 'calls_usage_rolled_up_traces_total',
      type: 'counter',
      help: 'Traces that were rolled up.',
      read: () => read()?.rolledUpTraces ?? 0,
    },
    {
      name: 'calls_usage_rolled_up_calls_total',
      type: 'counter',
      help: 'Calls of traces that were rolled up.',
      read: () => read()?.rolledUpCalls ?? 0,
    },
    {
      name: 'calls_usage_rollup_skipped_traces_total',
      type: 'counter',
      help: 'Traces that were not rolled up: too large, or changed meanwhile.',
      read: () => read()?.skippedTraces ?? 0,
    },
    {
      name: 'calls_usage_rollup_failures_total',
      type: 'counter',
      help: 'Rounds of rolling traces up that failed.',
      read: () => read()?.failures ?? 0,
    },
  ] as const satisfies readonly ReadMetric[];
  for (const metric of watched) metrics.watch(metric);
}

function countByTable({ parts }: Damage): Record<string, number> {
  const tables = [...baseTables, ...derivedTables];
  return Object.fromEntries(
    tables.map((table) => [table, parts.filter((part) => part.table === table).length]),
  );
}
