import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';

import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';

import { RepeatedLines } from '../../repeated-lines.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import type { Log, LimitedReadOptions } from '../clickhouse.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  DamagedDataError,
  QueryTimeoutError,
} from '../errors.ts';
import { bindParameters } from './statements/bind-parameters.ts';
import { mapError, toErrorCode, toErrorKind } from './map-error.ts';
import { openClient, type DatabaseAddress } from './open-client.ts';
import type { Query } from './statements/queries.ts';
import { readRows } from './read-rows.ts';
import { type Statement, toStatement } from './statements/to-statement.ts';
import { toInsertSettings, toReadSettings, type Limits } from './request-settings.ts';

export interface ConnectionOptions {
  readonly limits: Limits;
  /** The statement that {@link Connection.ping} runs. */
  readonly probe: string;
  /** The kind of error after which the connection is of no more use. */
  readonly endsOn: 'databaseMissing' | 'unreachable';
  readonly log: Log;
}

/** How many requests may wait for each open connection; one more is refused. */
const maxQueuedPerConnection = 10;

/** Sends requests to one database of one ClickHouse server. */
export class Connection {
  /** Resolves with the reason when a request fails with an error of the kind `endsOn`. */
  readonly ended: Promise<string>;
  readonly #address: DatabaseAddress;
  readonly #options: ConnectionOptions;
  readonly #client: ClickHouseClient;
  /** For statements with parameters. */
  readonly #formClient: ClickHouseClient;
  /** For pings and for KILL QUERY: neither may queue behind queries, nor behind the other when ClickHouse hangs. */
  readonly #pingClient: ClickHouseClient;
  readonly #killClient: ClickHouseClient;
  readonly #pending = new Set<Deadline>();
  #end: (reason: string) => void = () => undefined;
  #isClosed = false;
  readonly #diskFull = new RepeatedLines();
  #pinging: Promise<void> | undefined;

  /** Sends nothing yet. */
  constructor(address: DatabaseAddress, options: ConnectionOptions) {
    this.#address = address;
    this.#options = options;
    this.#client = openClient(address, options.limits);
    this.#formClient = options.limits.compression
      ? openClient(address, { ...options.limits, sendsForms: true })
      : this.#client;
    const { pingTimeoutMs: timeoutMs } = options.limits;
    const own = { ...options.limits, maxOpenConnections: 2, timeoutMs };
    this.#pingClient = openClient(address, own);
    this.#killClient = openClient(address, own);
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** As `ClickHouse.read`. */
  async read<Row>(
    query: Query,
    parameters: Readonly<Record<string, unknown>>,
    { signal, reserve = ignore, maxReadRows }: LimitedReadOptions = {},
  ): Promise<Row[]> {
    const statement = await runInSlices(bindStatement(query, parameters));
    const settings = toReadSettings(this.#options.limits, maxReadRows);
    return await this.#request(query.name, settings, signal, async (options) => {
      const { stream } = await this.#formClient.exec({ ...statement, ...options });
      options.abort_signal.addEventListener('abort', () => stream.destroy());
      return await readRows<Row>(stream, reserve, options.abort_signal);
    });
  }

  /** As `ClickHouse.insert`. */
  async insert(table: string, rows: readonly object[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#requestInsert(`insert_${table}`, async (options) => {
      await this.#client.insert({ table, values: rows, format: 'JSONEachRow', ...options });
    });
  }

  /** As `ClickHouse.insertBinary`. */
  async insertBinary(
    table: string,
    columns: readonly string[],
    chunks: readonly Uint8Array[],
  ): Promise<void> {
    await this.#requestInsert(`insert_${table}`, async (options) => {
      // The client's `insert` does not know this format.
      const result = await this.#client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT RowBinary`,
        values: Readable.from(chunks, { objectMode: false }),
        ...options,
      });
      for await (const _ of result.stream);
    });
  }

  /** As `ClickHouse.write`. */
  async write(query: Query, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    const statement = await runInSlices(bindStatement(query, parameters));
    await this.#requestInsert(query.name, async (options) => {
      const { stream } = await this.#formClient.exec({ ...statement, ...options });
      for await (const _ of stream);
    });
  }

  /**
   * As `ClickHouse.ping`. Pings at the same time are one request, whose deadline started with the first of them, so none
   * queues behind others while the server hangs.
   */
  async ping(): Promise<void> {
    this.#pinging ??= this.#sendPing().finally(() => (this.#pinging = undefined));
    await this.#pinging;
  }

  /** Whether the server answers a ping in time, be it with an error. */
  async isAnswering(): Promise<boolean> {
    try {
      await this.ping();
      return true;
    } catch (error) {
      return toErrorCode((error as Error).cause) !== undefined;
    }
  }

  /** Whether the server itself answers, even if it cannot reach others that the probe needs. */
  async isReachable(): Promise<boolean> {
    return (await this.#pingClient.ping({ select: true })).success;
  }

  /** Aborts all requests in flight; they reject. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const deadline of this.#pending) deadline.abort();
    const clients = [this.#client, this.#formClient, this.#pingClient, this.#killClient];
    await Promise.all(clients.map((client) => client.close()));
  }

  async #requestInsert(
    label: string,
    send: (options: RequestOptions) => Promise<void>,
  ): Promise<void> {
    const settings = toInsertSettings(this.#options.limits);
    try {
      await this.#request(label, settings, undefined, send);
    } catch (error) {
      if (!isIncompleteInsert(error)) throw error;
      throw new Error(`${label} failed in ClickHouse`, { cause: error.cause });
    }
  }

  /** Sends one request with a deadline; an aborted query is cancelled in ClickHouse. */
  async #request<T>(
    label: string,
    settings: ClickHouseSettings,
    signal: AbortSignal | undefined,
    send: (options: RequestOptions) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    this.#refuseWhenFull();
    const queryId = `${label}-${randomUUID()}`;
    const deadline = startDeadline(this.#options.limits.timeoutMs, signal);
    this.#pending.add(deadline);
    try {
      const options = {
        query_id: queryId,
        abort_signal: deadline.signal,
        clickhouse_settings: { ...settings, log_comment: label },
      };
      return await rejectOnAbort(send(options), deadline.signal);
    } catch (error) {
      if (this.#isClosed) throw new ClickHouseUnavailableError(closedMessage, { cause: error });
      if (deadline.signal.aborted) void this.#killQuery(queryId);
      signal?.throwIfAborted();
      this.#reportFailure(error);
      if (!deadline.signal.aborted) throw mapError(error, label);
      throw new QueryTimeoutError(`${label} took too long`, { cause: error });
    } finally {
      this.#pending.delete(deadline);
      deadline.clear();
    }
  }

  async #sendPing(): Promise<void> {
    const { limits, probe } = this.#options;
    const deadline = startDeadline(limits.pingTimeoutMs, undefined);
    const send = async (): Promise<void> => {
      const options = { query: probe, abort_signal: deadline.signal };
      await (await this.#pingClient.query(options)).text();
    };
    try {
      await rejectOnAbort(send(), deadline.signal);
    } catch (error) {
      this.#reportFailure(error);
      throw new ClickHouseUnavailableError('ClickHouse does not answer', { cause: error });
    } finally {
      deadline.clear();
    }
  }

  #refuseWhenFull(): void {
    const { maxOpenConnections } = this.#options.limits;
    if (this.#pending.size < maxOpenConnections * (1 + maxQueuedPerConnection)) return;
    throw new ClickHouseOverloadedError(
      `${this.#pending.size} requests to ClickHouse are already in flight or queued`,
    );
  }

  #reportFailure(error: unknown): void {
    const { url, database } = this.#address;
    const { endsOn, log } = this.#options;
    const kind = toErrorKind(error);
    if (kind === 'loginRefused') log.error({ url }, 'ClickHouse refuses user name or password');
    if (kind === 'diskFull') this.#logDiskFull();
    if (kind === 'unreadable') {
      log.error(
        { err: error },
        'ClickHouse cannot read stored data; see Damage in docs/operations.md',
      );
    }
    if (kind !== endsOn) return;
    this.#end(
      endsOn === 'unreachable' ? `${url} is unreachable` : `the database ${database} is missing`,
    );
  }

  #logDiskFull(): void {
    const { url } = this.#address;
    const write = (count: number): void => {
      this.#options.log.error({ url, requests: count }, 'ClickHouse has no disk space left');
    };
    if (this.#diskFull.isFirst('disk full', write)) write(1);
  }

  /** Cancels a query in ClickHouse; the aborted request does not depend on the outcome. */
  async #killQuery(queryId: string): Promise<void> {
    const query = 'KILL QUERY WHERE query_id = {query_id: String} ASYNC';
    await this.#killClient
      .command({ query, query_params: { query_id: queryId } })
      .catch((): undefined => undefined);
  }
}

function* bindStatement(
  query: Query,
  parameters: Readonly<Record<string, unknown>>,
): Steps<Statement> {
  return yield* toStatement(yield* bindParameters(query, parameters), 'JSONEachRow');
}

function ignore(): void {
  // Not every result is large enough to be counted.
}

const closedMessage = 'The connection to ClickHouse is closed';

/** What all requests pass to the client. */
interface RequestOptions {
  readonly query_id: string;
  readonly abort_signal: AbortSignal;
  readonly clickhouse_settings: ClickHouseSettings;
}

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

/** Rejects as soon as the signal aborts, even if the client does not notice. */
async function rejectOnAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
  return await Promise.race([promise, aborted]);
}

/** Whether ClickHouse could not read the rows that were sent; what is stored is not damaged then. */
function isIncompleteInsert(error: unknown): error is DamagedDataError {
  const cannotReadAllData = 33;
  return error instanceof DamagedDataError && toErrorCode(error.cause) === cannotReadAllData;
}
