import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Connection } from './client/connection.ts';
import type { Queries, Query, QueryName } from './client/statements/queries.ts';
import type { ClickHouse, Damage, Log, LimitedReadOptions } from './clickhouse.ts';
import { ClickHouseUnavailableError, ClickHouseStartError, DamagedDataError } from './errors.ts';
import type { Session, SessionOpener } from './schema/open-session.ts';
import type { Rewrite } from './schema/rewrite-rows.ts';
import { SessionServer } from './session-server.ts';

/** Runs each time before ClickHouse is used; if it throws, ClickHouse is unavailable and opened again. */
export type PrepareClickHouse = (clickhouse: Pick<ClickHouse, 'read' | 'insert'>) => Promise<void>;

export interface SupervisedOptions {
  readonly queries: Queries;
  readonly open: SessionOpener;
  readonly prepare: PrepareClickHouse;
  readonly log: Log;
  readonly observe?: ObserveQuery;
}

/** Gets the name and duration of each request to ClickHouse when it has ended, and its error if it failed. */
export type ObserveQuery = (name: string, durationMs: number, error?: unknown) => void;

const minPauseMs = 100;
const maxPauseMs = 10_000;

/**
 * What ingestion needs runs even while stored data is damaged: an end whose trace it does not find is stored without it,
 * and a read repairs that later.
 */
const ingestionQueries: ReadonlySet<string> = new Set<QueryName>(['find_traces']);

/** After a session that lasted this long the pauses start again from the shortest. */
const stableMs = 60_000;

/**
 * Keeps a session with ClickHouse open until it is closed. After a session has ended or could not be opened, opens the
 * next one, after pauses that double from 0.1 to 10 seconds.
 */
export class SupervisedClickHouse implements ClickHouse {
  readonly ready: Promise<void>;
  readonly #options: SupervisedOptions;
  readonly #closing = new AbortController();
  readonly #supervision: Promise<void>;
  #session: Session | undefined;
  #servers: readonly SessionServer[] = [];
  #version = '';
  #failures = 0;
  #restarts = 0;
  #unavailable: Error = new ClickHouseUnavailableError('ClickHouse is starting');

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.ready = this.#open();
    // A rejection is for the callers that wait; without any it must not end the process.
    this.#supervision = this.ready.then(
      () => this.#supervise(),
      () => undefined,
    );
  }

  get restarts(): number {
    return this.#restarts;
  }

  get version(): string {
    return this.#version;
  }

  async read<Row>(
    name: QueryName,
    parameters: Readonly<Record<string, unknown>>,
    options: LimitedReadOptions = {},
  ): Promise<Row[]> {
    return await this.#observe(name, () =>
      this.#refuseDamaged(name, (connection) =>
        connection.read<Row>(this.#query(name), parameters, options),
      ),
    );
  }

  async write(name: QueryName, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#observe(name, () =>
      this.#refuseDamaged(name, (connection) => connection.write(this.#query(name), parameters)),
    );
  }

  async insert(table: string, rows: readonly object[]): Promise<void> {
    await this.#observe(`insert_${table}`, () => this.#connection().insert(table, rows));
  }

  async insertBinary(
    table: string,
    columns: readonly string[],
    chunks: readonly Uint8Array[],
  ): Promise<void> {
    await this.#observe(`insert_${table}`, () =>
      this.#connection().insertBinary(table, columns, chunks),
    );
  }

  async rewrite({ count, alter }: Rewrite<QueryName>): Promise<number | undefined> {
    const statements = { count: this.#query(count), alter: this.#query(alter) };
    return await this.#currentSession().rewrite(statements);
  }

  get servers(): readonly SessionServer[] {
    return this.#servers;
  }

  get damage(): Damage {
    if (this.#session !== undefined) return this.#session.damageWatch.damage;
    const isDamaged = this.#unavailable instanceof DamagedDataError;
    return { state: isDamaged ? 'damaged' : 'none', parts: [] };
  }

  async ping(): Promise<void> {
    await this.#observe('ping', () => this.#connection().ping());
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#supervision;
  }

  async #observe<Result>(name: string, request: () => Promise<Result>): Promise<Result> {
    const { observe } = this.#options;
    const startedAt = performance.now();
    try {
      const result = await request();
      observe?.(name, performance.now() - startedAt);
      return result;
    } catch (error) {
      observe?.(name, performance.now() - startedAt, error);
      throw error;
    }
  }

  /** Damage may also be found while the query runs. */
  async #refuseDamaged<T>(
    name: QueryName,
    run: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const { connection, damageWatch } = this.#currentSession();
    if (ingestionQueries.has(name)) return await run(connection);
    damageWatch.refuseIfDamaged();
    const result = await run(connection);
    damageWatch.refuseIfDamaged();
    return result;
  }

  #connection(): Connection {
    return this.#currentSession().connection;
  }

  #currentSession(): Session {
    if (this.#session !== undefined) return this.#session;
    const { message, cause } = this.#unavailable;
    if (this.#unavailable instanceof DamagedDataError) throw this.#unavailable;
    throw new ClickHouseUnavailableError(message, { cause });
  }

  #query(name: QueryName): Query {
    const query = this.#options.queries.get(name);
    if (query === undefined) throw new TypeError(`There is no query ${name}.`);
    return query;
  }

  /** Uses each session until it ends, then opens the next one. */
  async #supervise(): Promise<void> {
    while (this.#session !== undefined) {
      await this.#useUntilEnd(this.#session);
      await this.#pause();
      // Rejects when ClickHouse is closed.
      await this.#open().catch(() => undefined);
    }
  }

  /**
   * Opens a session, with as many attempts as it takes.
   * @throws {ClickHouseStartError} ClickHouse was never available, and a retry cannot change that
   * @throws {ClickHouseUnavailableError} ClickHouse is closed
   */
  async #open(): Promise<void> {
    const { log } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#session = await this.#openPrepared(signal);
        this.#servers = this.#toServers(this.#session);
        this.#version = this.#session.version;
        log.info({ version: this.#version }, 'ClickHouse is ready');
        return;
      } catch (error) {
        if (error instanceof ClickHouseStartError && this.#version === '') {
          this.#unavailable = toUnavailable('ClickHouse cannot be used', error);
          throw error;
        }
        if (error instanceof DamagedDataError) this.#unavailable = error;
        this.#logFailure(error);
      }
      await this.#pause();
    }
    this.#unavailable = toUnavailable('ClickHouse is closed');
    throw this.#unavailable;
  }

  async #openPrepared(signal: AbortSignal): Promise<Session> {
    const session = await this.#options.open(signal);
    const { connection } = session;
    try {
      await this.#options.prepare({
        read: (name, parameters) => connection.read(this.#query(name), parameters, { signal }),
        insert: (table, rows) => connection.insert(table, rows),
      });
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  #toServers(session: Session): SessionServer[] {
    const queryOf = (name: QueryName): Query => this.#query(name);
    const run = <Result>(name: QueryName, request: () => Promise<Result>): Promise<Result> =>
      this.#observe(name, () => this.#refuseDamaged(name, request));
    return session.stores.map((store) => new SessionServer(store, { queryOf, run }));
  }

  /** Logs nothing for failures that are caused by close. */
  #logFailure(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#options.log.warn({ err: error }, 'ClickHouse is unavailable');
  }

  async #useUntilEnd(session: Session): Promise<void> {
    const { log } = this.#options;
    const openedAt = Date.now();
    const reason = await Promise.race([session.ended, untilAborted(this.#closing.signal)]);
    if (Date.now() - openedAt > stableMs) this.#failures = 0;
    const servers = this.#servers;
    this.#session = undefined;
    this.#servers = [];
    this.#unavailable = toUnavailable('ClickHouse is restarting');
    if (reason !== undefined) {
      this.#restarts += 1;
      log.error({ reason }, 'the ClickHouse session has ended');
    }
    await Promise.all([session.close(), ...servers.map((server) => server.close())]).catch(
      (error: unknown) => {
        log.warn({ err: error }, 'the ClickHouse session could not be closed');
      },
    );
  }

  async #pause(): Promise<void> {
    const pauseMs = Math.min(minPauseMs * 2 ** this.#failures, maxPauseMs);
    this.#failures += 1;
    const { signal } = this.#closing;
    await sleep(pauseMs, undefined, { signal }).catch((): undefined => undefined);
  }
}

function toUnavailable(message: string, cause?: unknown): ClickHouseUnavailableError {
  return new ClickHouseUnavailableError(message, { cause });
}

async function untilAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return;
  await once(signal, 'abort');
}
