import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Connection } from './client/connection.ts';
import type { ClickHouse, Log } from './clickhouse.ts';
import { ClickHouseUnavailableError, ClickHouseStartError } from './errors.ts';
import type { Queries, Query, QueryName } from './client/queries.ts';

/** One time that ClickHouse is there. */
export interface Session {
  readonly version: string;
  readonly connection: Connection;
  /** Resolves with the reason when this session can be of no use any more. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/** How an engine is opened, as often as it is needed. */
export interface ClickHouseOpener {
  readonly queries: Queries;
  /** @throws {ClickHouseStartError} for what cannot heal, anything else for what may. */
  readonly open: (signal: AbortSignal) => Promise<Session>;
}

/** What is done with ClickHouse each time before it is used; what it throws counts as a failure to open it. */
export type PrepareClickHouse = (clickhouse: Pick<ClickHouse, 'read' | 'insert'>) => Promise<void>;

const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** An engine that ran this long before it ended is started again without a long pause. */
const steadyMs = 60_000;

/**
 * Keeps ClickHouse open until it is closed: when it goes away it is opened again, after pauses that double from
 * 0.1 to 10 seconds.
 */
export class SupervisedClickHouse implements ClickHouse {
  readonly ready: Promise<void>;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  readonly #prepare: PrepareClickHouse;
  #opener: ClickHouseOpener | undefined;
  #session: Session | undefined;
  #version = '';
  #why: { message: string; cause?: unknown } = { message: 'ClickHouse is starting' };

  /** @param plan called at once; what it throws is why {@link ClickHouse.ready} rejects */
  constructor(
    plan: () => ClickHouseOpener,
    log: Log,
    prepare: PrepareClickHouse = () => Promise.resolve(),
  ) {
    this.#log = log;
    this.#prepare = prepare;
    let settle: { resolve: () => void; reject: (reason: unknown) => void } | undefined;
    this.ready = new Promise((resolve, reject) => (settle = { resolve, reject }));
    // Whoever waits for it hears of a rejection; it must not end a process in which nobody does.
    this.ready.catch(() => undefined);
    this.#running = this.#run(
      plan,
      () => settle?.resolve(),
      (reason) => settle?.reject(reason),
    );
  }

  get version(): string {
    return this.#version;
  }

  async read<Row>(
    name: QueryName,
    parameters: Readonly<Record<string, unknown>>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Row[]> {
    return await this.#connection().read(this.#query(name), parameters, options.signal);
  }

  async write(name: QueryName, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#connection().write(this.#query(name), parameters);
  }

  async insert(table: string, rows: readonly object[]): Promise<void> {
    await this.#connection().insert(table, rows);
  }

  async insertBinary(
    table: string,
    columns: readonly string[],
    chunks: readonly Uint8Array[],
  ): Promise<void> {
    await this.#connection().insertBinary(table, columns, chunks);
  }

  async ping(): Promise<void> {
    await this.#connection().ping();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  #connection(): Connection {
    if (this.#session !== undefined) return this.#session.connection;
    throw new ClickHouseUnavailableError(this.#why.message, { cause: this.#why.cause });
  }

  #query(name: QueryName): Query {
    const query = this.#opener?.queries.get(name);
    if (query === undefined) throw new TypeError(`There is no query ${name}.`);
    return query;
  }

  async #run(
    plan: () => ClickHouseOpener,
    resolveReady: () => void,
    rejectReady: (reason: unknown) => void,
  ): Promise<void> {
    try {
      this.#opener = plan();
      await this.#keepOpen(this.#opener, resolveReady);
      this.#why = { message: 'The engine is closed' };
      rejectReady(new ClickHouseUnavailableError(this.#why.message));
    } catch (cause) {
      this.#why = { message: 'ClickHouse cannot be used', cause };
      rejectReady(cause);
    }
  }

  async #keepOpen(opener: ClickHouseOpener, resolveReady: () => void): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const openedAt = Date.now();
      try {
        this.#session = await this.#open(opener, signal);
        this.#version = this.#session.version;
        this.#log.info({ version: this.#version }, 'ClickHouse is there');
        resolveReady();
        await this.#useUntilEnd(this.#session);
        if (Date.now() - openedAt > steadyMs) failures = 0;
      } catch (error) {
        if (error instanceof ClickHouseStartError && this.#version === '') throw error;
        this.#tellAway(error);
      }
      await pause(failures, signal);
    }
  }

  async #open(opener: ClickHouseOpener, signal: AbortSignal): Promise<Session> {
    const session = await opener.open(signal);
    const { connection } = session;
    try {
      await this.#prepare({
        read: (name, parameters) => connection.read(this.#query(name), parameters, signal),
        insert: (table, rows) => connection.insert(table, rows),
      });
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  #tellAway(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#log.warn({ err: error }, 'ClickHouse is away');
  }

  async #useUntilEnd(session: Session): Promise<void> {
    const reason = await Promise.race([session.ended, untilAborted(this.#closing.signal)]);
    this.#session = undefined;
    this.#why = { message: 'ClickHouse is starting again' };
    if (reason !== undefined) this.#log.error({ reason }, 'ClickHouse has ended');
    await session.close();
  }
}

async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const pauseMs = Math.min(firstPauseMs * 2 ** failures, longestPauseMs);
  await sleep(pauseMs, undefined, { signal }).catch((): undefined => undefined);
}

async function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return;
  await once(signal, 'abort');
}
