import type { QueryName } from './client/statements/queries.ts';
import type { Rewrite } from './schema/rewrite-rows.ts';
import type { NodePart } from './damage/damaged-parts.ts';

/** The ClickHouse, embedded or remote, that stores call parts and prices and runs every query. */
export interface ClickHouse {
  /** ClickHouse's version, such as `26.7.2.1`; empty before {@link ClickHouse.ready}. */
  readonly version: string;

  /** How often ClickHouse, once it was used, was lost and opened again: an embedded one was then restarted. */
  readonly restarts: number;

  /**
   * Resolves when ClickHouse can be used for the first time and every migration is applied. Waits for an unavailable
   * ClickHouse without a time limit; rejects with `ClickHouseStartError` for what a retry cannot solve. Whether
   * ClickHouse is available at the moment is what {@link ClickHouse.ping} tells.
   */
  readonly ready: Promise<void>;

  /**
   * Runs the query `name` of `sql/queries` and returns one object per row. Integers of 64 bits and more and decimals
   * are text, so that they stay exact.
   *
   * @param parameters one value for each `{name: Type}` of the statement; throws a TypeError before anything is sent
   *   if one is missing, undefined or unknown.
   * @throws {ClickHouseUnavailableError} ClickHouse is unreachable or restarting.
   * @throws {ClickHouseOverloadedError} ClickHouse has no memory or query slot for the query.
   * @throws {DiskFullError} ClickHouse has no disk space left.
   * @throws {QueryTimeoutError} the query exceeded its time limit.
   * @throws {ResultTooLargeError} the result has more rows or bytes than the limits allow.
   * @throws {DamagedDataError} the result would lack rows, see {@link ClickHouse.damage}, or a part cannot be read.
   */
  read<Row>(
    name: QueryName,
    parameters: Readonly<Record<string, unknown>>,
    options?: LimitedReadOptions,
  ): Promise<Row[]>;

  /**
   * Inserts rows as one block. When it resolves, all rows and the rows that materialized views derive from them are
   * stored. When it rejects, some or none are stored, and the same rows may be inserted again.
   * @throws the same errors as {@link ClickHouse.read}.
   */
  insert(table: string, rows: readonly object[]): Promise<void>;

  /**
   * Inserts rows that are already serialized, see `RowBinary`; otherwise like {@link ClickHouse.insert}.
   * @param columns the table's columns in the order of the serialized values
   * @param chunks complete rows when concatenated
   * @throws the same errors as {@link ClickHouse.read}.
   */
  insertBinary(
    table: string,
    columns: readonly string[],
    chunks: readonly Uint8Array[],
  ): Promise<void>;

  /**
   * Runs an `INSERT … SELECT` of `sql/queries`, which moves no data out of ClickHouse. As with
   * {@link ClickHouse.insert}, when it rejects, some or no rows are stored, and it may be run again.
   * @throws the same errors as {@link ClickHouse.read}.
   */
  write(name: QueryName, parameters: Readonly<Record<string, unknown>>): Promise<void>;

  /**
   * Rewrites stored rows: runs an `ALTER` of `sql/queries` on every server on which the query `count` counts rows, and
   * resolves when they are rewritten. When it rejects, ClickHouse may go on with it; it may be run again.
   * @returns how many rows were counted; undefined if another service rewrites them now
   * @throws the same errors as {@link ClickHouse.read}.
   */
  rewrite(statements: Rewrite<QueryName>): Promise<number | undefined>;

  /** The servers that store rows; none while ClickHouse is unavailable. Each session has other objects. */
  readonly servers: readonly Server[];

  /** What of the stored data is damaged, as far as it is known. */
  readonly damage: Damage;

  /** Resolves when ClickHouse answers, rejects with `ClickHouseUnavailableError` otherwise. */
  ping(): Promise<void>;

  /** Closes the connection and stops an embedded server; resolves when the server's files are closed. */
  close(): Promise<void>;
}

/** One server and the tables that it stores itself: those of its shard, or all. */
export interface Server {
  readonly url: string;
  /** As {@link ClickHouse.read}. */
  read<Row>(name: QueryName, parameters: Readonly<Record<string, unknown>>): Promise<Row[]>;
  /** As {@link ClickHouse.write}. */
  write(name: QueryName, parameters: Readonly<Record<string, unknown>>): Promise<void>;
  /**
   * Runs the action unless another service runs one with the same lock on this server.
   * @returns whether it was run
   */
  withLock(lock: string, action: () => Promise<void>): Promise<boolean>;
}

export interface ReadOptions {
  /** Cancels the query in ClickHouse too; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with the bytes of each piece of the result that has arrived; what it throws, the promise rejects with. */
  readonly reserve?: (bytes: number) => void;
}

/** Options of a query that may be refused before it reads. */
export interface LimitedReadOptions extends ReadOptions {
  /** Rows that the query may read, whole granules; for one that would read more, the result is too large. */
  readonly maxReadRows?: number;
}

/** Damage that makes results lack rows; while there is any, only queries that ingestion needs are run. */
export interface Damage {
  /** `rebuilding`: only derived tables are damaged, and they are filled again. */
  readonly state: 'none' | 'rebuilding' | 'damaged';
  readonly parts: readonly NodePart[];
}

/** Receives messages for the operator; a pino logger is one. */
export type Log = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (details: object, message: string) => void>
>;
