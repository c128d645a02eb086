import { collectDefaultMetrics } from 'prom-client';
import type { QueueUse } from '../batcher.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { Metrics, ReadMetric } from './metrics.ts';

/** The parts of the service that know numbers of their own. */
export interface WatchedService {
  readonly clickhouse: Pick<ClickHouse, 'ping'>;
  readonly memoryBudget: MemoryBudget;
  readonly callsUsage: Queued;
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

function queueMetrics({ callsUsage, partInserter }: WatchedService): ReadMetric[] {
  const read = (field: keyof QueueUse) => () => ({
    usage: callsUsage.queueUse()[field],
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
      help: 'Requests that were refused because the queue was full.',
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
  ];
}
