import { PartInserter, type InsertLimits } from './ingest/part-inserter.ts';
import type { ClickHouse } from './clickhouse/clickhouse.ts';
import type { AppOptions } from './http/app.ts';
import { PriceSnapshots } from './prices/snapshot/price-snapshots.ts';
import { CallsUsage, type UsageLimits } from './usage/calls-usage.ts';
import { CallList } from './usage/lists/call-list.ts';
import { TraceUsage } from './usage/trees/trace-usage.ts';
import type { UsageSources } from './usage/query/query-usage.ts';
import { UsageExport } from './usage/export/usage-export.ts';
import { ProjectList } from './usage/projects/project-list.ts';
import { CallStats } from './usage/stats/call-stats.ts';
import { type LiveLimits, LiveSource } from './usage/stats/sources/live-source.ts';
import { TraceList } from './usage/traces/trace-list.ts';
import { RollupSource } from './usage/stats/sources/rollup-source.ts';
import type { Settings } from './settings/settings.ts';
import { MemoryBudget } from './memory-budget.ts';
import { Readiness } from './readiness.ts';
import { Metrics } from './metrics/metrics.ts';
import { readRulesVersion } from './rollups/rules-version.ts';
import { watchService } from './metrics/watch-service.ts';
import { TurnQueue } from './queues/turn-queue.ts';

const mebibyte = 1_048_576;

interface DomainOptions {
  readonly clickhouse: ClickHouse;
  readonly prices: PriceSnapshots;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}

/** What ingestion and usage requests work with, watched by the metrics. */
export function openDomain(
  settings: Settings,
  { clickhouse, prices, readiness, metrics }: DomainOptions,
): Pick<
  AppOptions,
  | 'partInserter'
  | 'callsUsage'
  | 'callStats'
  | 'usageExport'
  | 'callList'
  | 'traceList'
  | 'projectList'
  | 'traceUsage'
  | 'memoryBudget'
> {
  const { countPriced, observeBatch } = metrics;
  const usageLimits = toUsageLimits(settings);
  const rulesVersion = settings.rollups ? readRulesVersion() : null;
  const options = { clickhouse, prices, rulesVersion, usageLimits, countPriced };
  const callsUsage = new CallsUsage(options);
  const callStats = openCallStats(settings, { clickhouse, prices, rulesVersion });
  const { exportMaxProjects: maxProjects } = settings;
  const usageExport = new UsageExport({ clickhouse, callStats, maxProjects });
  const { lists, ...listAnswers } = openLists(settings, { clickhouse, prices, rulesVersion });
  const partInserter = new PartInserter(clickhouse, toInsertLimits(settings), observeBatch);
  const memoryBudget = new MemoryBudget({
    totalBytes: settings.memoryBudgetMb * mebibyte,
    perKeyBytes: settings.memoryBudgetPerKeyMb * mebibyte,
  });
  watchService(metrics, {
    ...{ clickhouse, readiness, callsUsage, callStats, lists, partInserter, memoryBudget },
  });
  return { callsUsage, callStats, usageExport, ...listAnswers, partInserter, memoryBudget };
}

function toUsageLimits(settings: Settings): UsageLimits {
  return {
    concurrency: settings.usageConcurrency,
    maxQueued: settings.usageQueueSize,
    maxWaitMs: settings.queueTimeoutMs,
    maxBatchIds: settings.usageBatchIds,
    maxAnswerSums: settings.queryResultRows,
    maxAnswerBytes: settings.queryResultMb * mebibyte,
    maxRowBytes: settings.memoryBudgetPerKeyMb * mebibyte,
  };
}

function openCallStats(
  settings: Settings,
  {
    clickhouse,
    prices,
    rulesVersion,
  }: Pick<DomainOptions, 'clickhouse' | 'prices'> & { readonly rulesVersion: string | null },
): CallStats {
  const { maxAnswerBytes, maxRowBytes } = toUsageLimits(settings);
  const { statsConcurrency: concurrency, statsQueueSize: maxQueued } = settings;
  const { queueTimeoutMs: maxWaitMs } = settings;
  const live = new LiveSource(clickhouse, toLiveLimits(settings));
  return new CallStats({
    source: rulesVersion === null ? live : new RollupSource(clickhouse, rulesVersion, live),
    prices,
    queue: new TurnQueue('stats requests', { concurrency, maxQueued, maxWaitMs }),
    limits: { maxAnswerBytes, maxRowBytes },
  });
}

function toLiveLimits(settings: Settings): LiveLimits {
  return { maxCalls: settings.statsMaxCalls, maxBatchCalls: settings.statsBatchCalls };
}

/** Lists of calls and traces, and trees, which take turns. */
function openLists(
  settings: Settings,
  sources: UsageSources,
): Pick<AppOptions, 'callList' | 'traceList' | 'projectList' | 'traceUsage'> & {
  readonly lists: TurnQueue;
} {
  const { listConcurrency: concurrency, listQueueSize: maxQueued } = settings;
  const { queueTimeoutMs: maxWaitMs } = settings;
  const { clickhouse, prices, rulesVersion } = sources;
  const live = new LiveSource(clickhouse, toLiveLimits(settings));
  const { maxAnswerSums, maxAnswerBytes, maxRowBytes } = toUsageLimits(settings);
  const lists = new TurnQueue('list requests', { concurrency, maxQueued, maxWaitMs });
  const limits = { batchCalls: settings.listBatchCalls, maxRowBytes };
  return {
    lists,
    callList: new CallList({
      ...{ clickhouse, rulesVersion, queue: lists, limits },
      costs: { live, prices },
    }),
    traceUsage: new TraceUsage({
      ...{ sources, queue: lists },
      limits: { maxAnswerSums, maxAnswerBytes, maxRowBytes },
    }),
    projectList: new ProjectList({
      ...{ clickhouse, rulesVersion, prices, queue: lists },
      maxLimit: settings.projectsMaxLimit,
      source: rulesVersion === null ? live : new RollupSource(clickhouse, rulesVersion, live),
      limits: { maxAnswerBytes, maxRowBytes },
    }),
    traceList: new TraceList({
      ...{ ...sources, live, queue: lists, maxLimit: settings.tracesMaxLimit },
      limits: {
        ...{ maxAnswerBytes, maxRowBytes, maxSums: maxAnswerSums },
        ...{ maxCalls: settings.statsMaxCalls, maxTraces: settings.tracesMaxLive },
      },
    }),
  };
}

function toInsertLimits(settings: Settings): InsertLimits {
  return {
    flushIntervalMs: settings.insertFlushIntervalMs,
    maxBatchRows: settings.insertBatchRows,
    maxBatchBytes: settings.insertBatchMb * mebibyte,
    concurrency: settings.insertConcurrency,
    keepPayloads: settings.payloadRetentionDays > 0,
  };
}
