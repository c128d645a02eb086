import { setTimeout as sleep } from 'node:timers/promises';

import type { Connection } from './connection.ts';
import { EngineAwayError, EngineStartError, type Engine, type EngineLog } from './engine.ts';
import type { Queries } from './queries.ts';

/** One time that ClickHouse is there. */
export interface Session {
  readonly version: string;
  readonly connection: Connection;
  /** Resolves with the reason when this session can be of no use any more. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/** How an engine is opened, as often as it is needed. */
export interface EngineOpener {
  readonly queries: Queries;
  /** @throws {EngineStartError} for what cannot heal, anything else for what may. */
  open(signal: AbortSignal): Promise<Session>;
}

const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** An engine that ran this long before it ended is started again without a long pause. */
const steadyMs = 60_000;

/**
 * Keeps ClickHouse open until `close`: when it goes away it is opened again, after pauses that double from 0.1
 * to 10 seconds.
 *
 * @param prepare what it throws is why {@link Engine.ready} rejects
 */
export function superviseEngine(prepare: () => EngineOpener, log: EngineLog): Engine {
  const closing = new AbortController();
  let opener: EngineOpener | undefined;
  let session: Session | undefined;
  let version = '';
  let away = new EngineAwayError('ClickHouse is starting');

  const { promise: ready, resolve, reject } = withResolvers();
  const running = run();

  async function run(): Promise<void> {
    try {
      opener = prepare();
      await keepOpen(opener);
      reject(new EngineAwayError('The engine was closed'));
    } catch (error) {
      away = new EngineAwayError('ClickHouse cannot be used', { cause: error });
      reject(error);
    }
  }

  async function keepOpen({ open }: EngineOpener): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; failures += 1) {
      const openedAt = Date.now();
      try {
        session = await open(closing.signal);
        version = session.version;
        log.info({ version }, 'ClickHouse is there');
        resolve();
        await useUntilEnd(session);
        if (Date.now() - openedAt > steadyMs) failures = 0;
      } catch (error) {
        if (error instanceof EngineStartError && version === '') throw error;
        if (!closing.signal.aborted) log.warn({ err: error }, 'ClickHouse is away');
      }
      await pause(failures, closing.signal);
    }
  }

  async function useUntilEnd(current: Session): Promise<void> {
    const closed = new Promise<undefined>((done) => {
      closing.signal.addEventListener('abort', () => {
        done(undefined);
      });
    });
    const reason = closing.signal.aborted ? undefined : await Promise.race([current.ended, closed]);
    session = undefined;
    away = new EngineAwayError('ClickHouse is starting again');
    if (reason !== undefined) log.error({ reason }, 'ClickHouse has ended');
    await current.close();
  }

  function connection(): Connection {
    if (session !== undefined) return session.connection;
    throw new EngineAwayError(away.message, { cause: away.cause });
  }

  return {
    ready,
    get version() {
      return version;
    },
    async read(name, parameters, options) {
      const current = connection();
      const query = opener?.queries.get(name);
      if (query === undefined) throw new TypeError(`There is no query ${String(name)}.`);
      return await current.read(query, parameters, options?.signal);
    },
    async insert(table, rows) {
      await connection().insert(table, rows);
    },
    async ping() {
      await connection().ping();
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

function withResolvers(): {
  promise: Promise<void>;
  resolve: () => void;
  reject: (reason: unknown) => void;
} {
  let resolve: () => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<void>((...both) => ([resolve, reject] = both));
  // Whoever waits for it hears of a rejection; it must not end a process in which nobody does.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const pauseMs = Math.min(firstPauseMs * 2 ** failures, longestPauseMs);
  await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
}
