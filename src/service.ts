import { type DestinationStream, pino } from 'pino';
import { Registry } from 'prom-client';
import { PartStore, type PartStoreLimits } from './calls/part-store.ts';
import { startEngine } from './engine/start-engine.ts';
import { createApp } from './http/app.ts';
import { readKeys } from './http/keys.ts';
import { readOpenApi } from './http/openapi.ts';
import { listen } from './http/server.ts';
import { readBook, readBookVersion } from './prices/book.ts';
import { createLearner } from './prices/learn-models.ts';
import { loadBook } from './prices/load-book.ts';
import type { Settings } from './settings.ts';

/** The whole service, running. */
export interface Service {
  /** Where it can be reached, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Resolves when requests can be answered for the first time; until then they get 503.
   * Rejects with `EngineStartError` for what cannot heal by itself.
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
  const openApi = readOpenApi(new URL('../openapi/', import.meta.url));
  const keys = readKeys(settings, (key, file) => {
    print(`Made an API key, kept in ${file}: ${key}`);
  });
  const stopping = new AbortController();
  const book = once(readBook);
  const engine = startEngine(settings, log, {
    prepare: (store) => loadBook(store, readBookVersion(), book, log),
  });
  // Whoever asks for it later still gets the rejection.
  engine.ready.catch(() => undefined);
  const app = createApp({
    engine,
    partStore: new PartStore(engine, toPartStoreLimits(settings)),
    openApi,
    keys,
    log,
    metrics: new Registry(),
    bodyLimitBytes: settings.bodyLimitMb * mebibyte,
    requestsPerSecond: settings.requestsPerSecond,
    usageSharing: {
      atOnce: settings.usageReadings,
      waiting: settings.usageWaiting,
      callIds: settings.usageSharedIds,
    },
    learnModels: createLearner(engine, book),
    stopping: stopping.signal,
  });
  const server = await listen(app, settings).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  log.info({ url: server.url }, 'listening');
  const close = async (): Promise<void> => {
    stopping.abort();
    await server.close(settings.shutdownTimeoutMs);
    await engine.close();
    log.info('stopped');
  };
  return { url: server.url, ready: engine.ready, close: once(close) };
}

const mebibyte = 1_048_576;

function toPartStoreLimits(settings: Settings): PartStoreLimits {
  return {
    windowMs: settings.insertWindowMs,
    rows: settings.insertRows,
    bytes: settings.insertMb * mebibyte,
    atOnce: settings.insertsAtOnce,
    heldBytes: settings.insertQueueMb * mebibyte,
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
