import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';

import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';

import { bindParameters } from './bind-parameters.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  QueryTimeoutError,
} from '../errors.ts';
import type { Query } from './queries.ts';
import { toInsertSettings, toReadSettings } from './request-settings.ts';
import { mapError } from './map-error.ts';

/** Where a ClickHouse answers and as whom. */
export interface Address {
  /** Without credentials, database and path, such as `http://127.0.0.1:8123`. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** The database of every statement; none where it may not exist yet. */
  readonly database?: string;
}

/** What requests may take. */
export interface Limits {
  /** Connections at most; ten times as many requests may wait for one, then the next is refused. */
  readonly pool: number;
  /** How long one request may take as seen from here, waiting for a connection included. */
  readonly timeoutMs: number;
  /** How long one query may run in ClickHouse. */
  readonly queryTimeoutMs: number;
  /** Memory of one query or insert in ClickHouse. */
  readonly queryMemoryMb: number;
  readonly resultRows: number;
  readonly resultMb: number;
  /** Compress requests and answers. */
  readonly compression: boolean;
}

/** How long a ping may take. */
const pingTimeoutMs = 5_000;

const waitingPerConnection = 10;

/** Requests to one ClickHouse server, as long as its address holds. */
export class Connection {
  readonly #limits: Limits;
  readonly #onFailure: (error: unknown) => void;
  readonly #probe: string;
  readonly #client: ClickHouseClient;
  /** For pings and KILL QUERY, which must not wait behind the queries that they are about. */
  readonly #control: ClickHouseClient;
  readonly #pending = new Set<Deadline>();
  #isClosed = false;

  /**
   * Sends nothing yet.
   * @param onFailure told of every request that fails, before it rejects
   * @param probe what {@link Connection.ping} asks
   */
  constructor(
    address: Address,
    limits: Limits,
    onFailure: (error: unknown) => void = () => undefined,
    probe = 'SELECT 1',
  ) {
    this.#limits = limits;
    this.#onFailure = onFailure;
    this.#probe = probe;
    this.#client = openClient(address, limits);
    this.#control = openClient(address, { ...limits, pool: 2, timeoutMs: pingTimeoutMs });
  }

  /** As `ClickHouse.read`. */
  async read<Row>(
    query: Query,
    parameters: Readonly<Record<string, unknown>>,
    signal?: AbortSignal,
  ): Promise<Row[]> {
    const { text, values } = bindParameters(query, parameters);
    return await this.#request(query.name, signal, async (queryId, stop) => {
      const result = await this.#client.query({
        query: text,
        query_params: values,
        query_id: queryId,
        format: 'JSONEachRow',
        abort_signal: stop,
        clickhouse_settings: { ...toReadSettings(this.#limits), log_comment: query.name },
      });
      stop.addEventListener('abort', () => result.close());
      return await result.json<Row>();
    });
  }

  /** As `ClickHouse.insert`. */
  async insert(table: string, rows: readonly object[]): Promise<void> {
    if (rows.length === 0) return;
    const label = `insert_${table}`;
    await this.#request(label, undefined, async (queryId, stop) => {
      await this.#client.insert({
        table,
        values: rows,
        query_id: queryId,
        format: 'JSONEachRow',
        abort_signal: stop,
        clickhouse_settings: { ...toInsertSettings(this.#limits), log_comment: label },
      });
    });
  }

  /** As `ClickHouse.insertBinary`. */
  async insertBinary(
    table: string,
    columns: readonly string[],
    chunks: readonly Uint8Array[],
  ): Promise<void> {
    const label = `insert_${table}`;
    await this.#request(label, undefined, async (queryId, stop) => {
      // The client's `insert` does not know the format.
      const result = await this.#client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT RowBinary`,
        values: Readable.from(chunks, { objectMode: false }),
        query_id: queryId,
        abort_signal: stop,
        clickhouse_settings: { ...toInsertSettings(this.#limits), log_comment: label },
      });
      for await (const _ of result.stream);
    });
  }

  /** As `ClickHouse.write`. */
  async write(query: Query, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    const { text, values } = bindParameters(query, parameters);
    await this.#request(query.name, undefined, async (queryId, stop) => {
      // The client's `command` would put all values into the URL, which takes 1 MiB at most.
      const result = await this.#client.query({
        query: text,
        query_params: values,
        query_id: queryId,
        format: 'JSONEachRow',
        abort_signal: stop,
        clickhouse_settings: { ...toInsertSettings(this.#limits), log_comment: query.name },
      });
      await result.text();
    });
  }

  /** As `ClickHouse.ping`. */
  async ping(): Promise<void> {
    try {
      const answer = await this.#control.query({ query: this.#probe });
      await answer.text();
    } catch (error) {
      this.#onFailure(error);
      throw new ClickHouseUnavailableError('ClickHouse does not answer', { cause: error });
    }
  }

  /** Whether the server itself answers, whatever it knows of others. */
  async isThere(): Promise<boolean> {
    return (await this.#control.ping({ select: true })).success;
  }

  /** Ends all requests under way; they reject. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const deadline of this.#pending) deadline.abort();
    await Promise.all([this.#client.close(), this.#control.close()]);
  }

  /** Runs one request with its deadline; a query that nobody waits for any more is ended in ClickHouse. */
  async #request<T>(
    label: string,
    signal: AbortSignal | undefined,
    send: (queryId: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.#pending.size >= this.#limits.pool * (1 + waitingPerConnection)) {
      throw new ClickHouseOverloadedError(
        `${this.#pending.size} requests to ClickHouse are under way already`,
      );
    }
    const queryId = `${label}-${randomUUID()}`;
    const deadline = startDeadline(this.#limits.timeoutMs, signal);
    this.#pending.add(deadline);
    try {
      return await orAborted(send(queryId, deadline.signal), deadline.signal);
    } catch (error) {
      if (this.#isClosed)
        throw new ClickHouseUnavailableError('The connection was closed', { cause: error });
      if (deadline.signal.aborted) void killQuery(this.#control, queryId);
      signal?.throwIfAborted();
      this.#onFailure(error);
      if (!deadline.signal.aborted) throw mapError(error, label);
      throw new QueryTimeoutError(`${label} took too long`, { cause: error });
    } finally {
      this.#pending.delete(deadline);
      deadline.clear();
    }
  }
}

/** Opens a client of ClickHouse; `limits` for its pool, time-out and compression. */
export function openClient(
  address: Address,
  limits: Pick<Limits, 'pool' | 'timeoutMs' | 'compression'>,
): ClickHouseClient {
  return createClient({
    url: address.url,
    username: address.username,
    password: address.password,
    ...(address.database === undefined ? {} : { database: address.database }),
    application: 'calls-usage',
    max_open_connections: limits.pool,
    request_timeout: limits.timeoutMs,
    compression: { request: limits.compression, response: limits.compression },
    keep_alive: { enabled: true, eagerly_destroy_stale_sockets: true },
    use_multipart_params_auto: true,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { session_timezone: 'UTC' },
  });
}

/** The end of the time that a request has. */
interface Deadline {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  readonly clear: () => void;
}

/** Starts a deadline, which aborts with `signal` or after `timeoutMs`. */
function startDeadline(timeoutMs: number, signal: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    abort,
    clear: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

/** Rejects as soon as the signal aborts, also where the client does not notice. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
  return await Promise.race([promise, aborted]);
}

/** Ends a query in ClickHouse; whether that succeeds is no concern of the request that gave it up. */
async function killQuery(control: ClickHouseClient, queryId: string): Promise<void> {
  const query = 'KILL QUERY WHERE query_id = {query_id: String} ASYNC';
  await control
    .command({ query, query_params: { query_id: queryId } })
    .catch((): undefined => undefined);
}
