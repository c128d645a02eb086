import { setTimeout as sleep } from 'node:timers/promises';
import { type DestinationStream, type Logger, pino } from 'pino';
import { startErasure } from './ingest/start-erasure.ts';
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
import type { Settings } from './settings/settings.ts';
import { Readiness } from './readiness.ts';
import { Metrics } from './metrics/metrics.ts';
import { RollupWorker } from './rollups/rollup-worker.ts';
import { readRulesVersion } from './rollups/rules-version.ts';
import { watchRollups, watchServer } from './metrics/watch-service.ts';
import { packageUrl } from './package-url.ts';
import { openDomain } from './open-domain.ts';

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
