import { type DestinationStream, pino } from 'pino';
import { Registry } from 'prom-client';
import { PartInserter, type InsertLimits } from './ingest/part-inserter.ts';
import { startClickHouse } from './clickhouse/start-clickhouse.ts';
import { createApp } from './http/app.ts';
import { readKeys } from './http/auth/keys.ts';
import { readOpenApi } from './http/validation/openapi.ts';
import { listen } from './http/server.ts';
import { readPriceBook, readPriceBookVersion } from './prices/catalog/price-book.ts';
import { createAliasResolver } from './prices/resolve-aliases.ts';
import { loadPriceBook } from './prices/catalog/load-price-book.ts';
import type { Settings } from './settings.ts';

/** The whole service, running. */
export interface Service {
  /** Where it can be reached, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Resolves when requests can be answered for the first time; until then they get 503.
   * Rejects with `ClickHouseStartError` for what cannot heal by itself.
   */
  readonly ready: Promise<void>;
  /** Refuses new requests, finishes those under way, closes the engine. */
  close(): Promise<void>;
}

/** Where the service tells what it does; standard output by default. */
export interface ServiceOutput {
  readonly log?: DestinationStream;
  readonly print?: (text: string) => void;
}

/**
 * Starts the service; it listens at once.
 * @throws {SettingsError} settings that cannot be used, a port that is taken among them
 */
export async function startService(
  settings: Settings,
  output: ServiceOutput = {},
): Promise<Service> {
  const { print = console.log } = output;
  const log = createLog(settings, output.log);
  for (const { name, message } of settings.unknownSettings) log.warn({ setting: name }, message);
  const openApi = readOpenApi(new URL('../openapi/', import.meta.url));
  const keys = readKeys(settings, (key, file) => {
    print(`Made an API key, kept in ${file}: ${key}`);
  });
  const stopping = new AbortController();
  const book = once(readPriceBook);
  const clickhouse = startClickHouse(settings, log, {
    prepare: (store) => loadPriceBook(store, readPriceBookVersion(), book, log),
  });
  // Whoever asks for it later still gets the rejection.
  clickhouse.ready.catch(() => undefined);
  const app = createApp({
    clickhouse,
    partInserter: new PartInserter(clickhouse, toInsertLimits(settings)),
    openApi,
    keys,
    log,
    metrics: new Registry(),
    bodyLimitBytes: settings.bodyLimitMb * mebibyte,
    rateLimitPerSecond: settings.rateLimitPerSecond,
    usageLimits: {
      concurrency: settings.usageConcurrency,
      maxQueued: settings.usageQueueSize,
      maxBatchIds: settings.usageBatchIds,
    },
    resolveAliases: createAliasResolver(clickhouse, book),
    stopping: stopping.signal,
  });
  const server = await listen(app, settings).catch(async (error: unknown) => {
    await clickhouse.close();
    throw error;
  });
  log.info({ url: server.url }, 'listening');
  const close = async (): Promise<void> => {
    stopping.abort();
    await server.close(settings.shutdownTimeoutMs);
    await clickhouse.close();
    log.info('stopped');
  };
  return { url: server.url, ready: clickhouse.ready, close: once(close) };
}

const mebibyte = 1_048_576;

function toInsertLimits(settings: Settings): InsertLimits {
  return {
    flushIntervalMs: settings.insertFlushIntervalMs,
    maxBatchRows: settings.insertBatchRows,
    maxBatchBytes: settings.insertBatchMb * mebibyte,
    concurrency: settings.insertConcurrency,
    memoryBudgetBytes: settings.insertQueueMb * mebibyte,
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

function once<Value>(action: () => Promise<Value>): () => Promise<Value> {
  let done: Promise<Value> | undefined;
  return () => (done ??= action());
}
