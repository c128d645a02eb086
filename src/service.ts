import { setTimeout as sleep } from 'node:timers/promises';
import { type DestinationStream, type Logger, pino } from 'pino';
import { startErasure } from './ingest/start-erasure.ts';
import { PartInserter, type InsertLimits } from './ingest/part-inserter.ts';
import type { ClickHouse, Damage } from './clickhouse/clickhouse.ts';
import { startClickHouse } from './clickhouse/start-clickhouse.ts';
import { type AppOptions, createApp } from './http/app.ts';
import type { BodyLimits } from './http/route.ts';
import { KeyRing } from './http/auth/keys.ts';
import { eventLoopShare } from './http/body/event-loop-share.ts';
import { damageDetails } from './http/errors.ts';
import { readOpenApi } from './http/validation/openapi.ts';
import { listen } from './http/connections/server.ts';
import {
  type PriceBook,
  readPriceBook,
  readPriceBookVersion,
} from './prices/catalog/price-book.ts';
import { loadPriceBook } from './prices/catalog/load-price-book.ts';
import { PriceSnapshots } from './prices/snapshot/price-snapshots.ts';
import { CallsUsage, type UsageLimits } from './usage/calls-usage.ts';
import { CallList } from './usage/lists/call-list.ts';
import { TraceUsage } from './usage/lists/trace-usage.ts';
import type { UsageSources } from './usage/query-usage.ts';
import { UsageExport } from './usage/export/usage-export.ts';
import { ProjectList } from './usage/projects/project-list.ts';
import { CallStats } from './usage/stats/call-stats.ts';
import { type LiveLimits, LiveSource } from './usage/stats/live-source.ts';
import { TraceList } from './usage/traces/trace-list.ts';
import { RollupSource } from './usage/stats/rollup-source.ts';
import type { Settings } from './settings.ts';
import { MemoryBudget } from './memory-budget.ts';
import { Readiness } from './readiness.ts';
import { Metrics } from './metrics/metrics.ts';
import { RollupWorker } from './rollups/rollup-worker.ts';
import { readRulesVersion } from './rollups/rules-version.ts';
import { watchRollups, watchServer, watchService } from './metrics/watch-service.ts';
import { TurnQueue } from './turn-queue.ts';
import { packageUrl } from './package-url.ts';

/** The running service. */
export interface Service {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Resolves when requests can be answered for the first time; until then the answer is 503.
   * Rejects with `ClickHouseStartError` for an error that does not go away by itself.
   */
  readonly ready: Promise<void>;
  /** Reads API_KEYS_FILE again; if it is invalid, the keys stay as they are, and the log says why. */
  reloadKeys(): void;
  /**
   * Reports that the service is not ready and goes on for DRAIN_MS, so that load balancers notice before requests are
   * refused; then closes it. A service that has never been ready has no traffic to wait for.
   */
  drain(): Promise<void>;
  /** Refuses new requests, finishes those in flight, closes ClickHouse. */
  close(): Promise<void>;
}

/** Where the service writes its log and what is meant for the operator; standard output by default. */
export interface ServiceOutput {
  readonly log?: DestinationStream;
  readonly print?: (text: string) => void;
}

/**
 * Starts the service; it listens when this resolves, and can answer when {@link Service.ready} does.
 * @throws {SettingsError} a setting that only its use shows to be invalid, such as a port that is in use
 */
export async function startService(
  settings: Settings,
  { log: destination, print = console.log }: ServiceOutput = {},
): Promise<Service> {
  const log = createLog(settings, destination);
  for (const { name, message } of settings.unknownSettings) log.warn({ setting: name }, message);
  const openApi = readOpenApi(packageUrl('openapi/'));
  const keys = new KeyRing(settings, log, (key, file) => {
    print(`Generated an API key, stored in ${file}: ${key}`);
  });
  const readBook = startReadingBook();
  const readiness = new Readiness(() => clickhouse.ping());
  readiness.report('starting', 'ClickHouse is not available yet.');
  const metrics = new Metrics();
  const clickhouse = startClickHouse(
    settings,
    log,
    (store) => loadPriceBook(store, readPriceBookVersion(), readBook, log),
    metrics.observeQuery,
    (damage) => reportDamage(readiness, damage),
  );
  const ready = clickhouse.ready.then(() => readiness.withdraw('starting'));
  // Without a handler, a rejection before anyone awaits it would end the process.
  ready.catch(() => undefined);
  const maxProjectRows = settings.priceCacheRows;
  const prices = new PriceSnapshots({ clickhouse, readBook, maxProjectRows });
  const domain = openDomain(settings, { clickhouse, prices, readiness, metrics });
  const app = createApp({
    ...{ ...domain, clickhouse, openApi, log, prices, readiness, metrics },
    getKeys: () => keys.keys,
    ...toAppLimits(settings),
  });
  const { countDroppedConnection } = metrics;
  const server = await listen(app, settings, { log, countDroppedConnection }).catch(
    async (error: unknown) => {
      await clickhouse.close();
      throw error;
    },
  );
  watchServer(metrics, { ...server, parsingMs: () => eventLoopShare.totalMs });
  log.info({ url: server.url }, 'listening');
  const stopWorkers = startWorkers(settings, { clickhouse, metrics, log });
  const close = once(async () => {
    readiness.report('stopping', 'The service is stopping.');
    await server.close(settings.shutdownTimeoutMs);
    // Closing ClickHouse aborts what the workers do.
    await Promise.all([stopWorkers(), clickhouse.close()]);
    log.info('stopped');
  });
  const drain = (): Promise<void> => drainTraffic(readiness, settings.drainMs, log).then(close);
  return { url: server.url, ready, reloadKeys: () => keys.reload(), drain, close };
}

/** Reading the price book takes some 300 ms of the event loop: now, while ClickHouse starts. */
function startReadingBook(): () => Promise<PriceBook> {
  const book = readPriceBook();
  // Without a handler, a rejection before anyone awaits it would end the process.
  book.catch(() => undefined);
  return () => book;
}

interface WorkerOptions {
  readonly clickhouse: ClickHouse;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Starts what runs in the background; the result stops it. */
function startWorkers(
  settings: Settings,
  { clickhouse, metrics, log }: WorkerOptions,
): () => Promise<unknown> {
  const stopErasing = startErasure(clickhouse, settings.deletionErasureIntervalMs, log);
  const { rollupIntervalMs: intervalMs, rollupQuietMs: quietMs } = settings;
  const { rollupBatchCalls: batchCalls, rollupSearchAllMs: searchAllMs } = settings;
  const options = { intervalMs, quietMs, batchCalls, searchAllMs, log };
  const rollups = settings.rollups
    ? new RollupWorker(clickhouse, { ...options, rulesVersion: readRulesVersion() })
    : undefined;
  watchRollups(metrics, () => rollups?.progress());
  return () => Promise.all([stopErasing(), rollups?.stop()]);
}

async function drainTraffic(readiness: Readiness, drainMs: number, log: Logger): Promise<void> {
  if (readiness.isStarting) return;
  readiness.report('draining', 'The service drains before it stops.');
  log.info({ drain_ms: drainMs }, 'draining');
  await sleep(drainMs);
}

function reportDamage(readiness: Readiness, { state }: Damage): void {
  for (const code of ['damaged', 'rebuilding'] as const) {
    if (code === state) readiness.report(code, damageDetails[code]);
    else readiness.withdraw(code);
  }
}

const mebibyte = 1_048_576;

function toAppLimits(
  settings: Settings,
): Pick<
  AppOptions,
  'bodyLimits' | 'maxSpans' | 'rateLimitPerSecond' | 'authFailuresPerMinute' | 'corsOrigins'
> {
  return {
    bodyLimits: toBodyLimits(settings),
    maxSpans: settings.otlpMaxSpans,
    rateLimitPerSecond: settings.rateLimitPerSecond,
    authFailuresPerMinute: settings.authFailuresPerMinute,
    corsOrigins: settings.corsOrigins ?? [],
  };
}

interface DomainOptions {
  readonly clickhouse: ClickHouse;
  readonly prices: PriceSnapshots;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}

/** What ingestion and usage requests work with, watched by the metrics. */
function openDomain(
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

function toBodyLimits(settings: Settings): BodyLimits {
  const { bodyLimitMb, bodyMaxValues: maxValues, itemMaxValues } = settings;
  const toBytes = (limitMb: number): number => Math.min(limitMb, bodyLimitMb) * mebibyte;
  const ingestBytes = toBytes(bodyLimitMb);
  const itemBytes = toBytes(settings.itemLimitMb);
  const queryBytes = toBytes(settings.queryBodyLimitMb);
  const stubBytes = toBytes(settings.stubBodyLimitMb);
  return {
    ingest: { maxBytes: ingestBytes, json: { maxBytes: itemBytes, maxValues: itemMaxValues } },
    query: { maxBytes: queryBytes, json: { maxBytes: queryBytes, maxValues } },
    stub: { maxBytes: stubBytes, json: { maxBytes: stubBytes, maxValues } },
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

function createLog(settings: Settings, destination: DestinationStream | undefined): pino.Logger {
  const options = {
    level: settings.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Runs the action at the first call only; later calls get the same promise. */
function once<Value>(action: () => Promise<Value>): () => Promise<Value> {
  let result: Promise<Value> | undefined;
  return () => (result ??= action());
}
