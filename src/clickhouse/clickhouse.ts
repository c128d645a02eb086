import type { QueryName } from './client/queries.ts';

/** Where parts and prices are kept and every question is answered: one ClickHouse, embedded or remote. */
export interface ClickHouse {
  /** ClickHouse's version, such as `26.7.2.1`; empty before {@link ClickHouse.ready}. */
  readonly version: string;

  /**
   * Resolves when ClickHouse can be used for the first time, with every migration applied. It waits for a
   * remote ClickHouse that is away as long as that takes, and rejects with {@link ClickHouseStartError} for what
   * cannot heal by itself. Whether ClickHouse is there now is for {@link ClickHouse.ping} to say.
   */
  readonly ready: Promise<void>;

  /**
   * Runs `sql/queries/<name>.sql` and returns its rows, one object a row. 64-bit and wider integers and
   * decimals arrive as text, exact.
   *
   * @param parameters one value for each `{name: Type}` of the statement; a missing, extra or undefined
   *   one is refused with a TypeError before anything is sent.
   * @param options.signal ends the query in ClickHouse too; the promise then rejects with its reason.
   * @throws {ClickHouseUnavailableError} ClickHouse cannot be reached or is restarting.
   * @throws {ClickHouseOverloadedError} ClickHouse refuses for want of memory or of a free query slot.
   * @throws {QueryTimeoutError} the query ran into its time limit.
   * @throws {ResultTooLargeError} the answer has more rows or bytes than the limits allow.
   */
  read<Row>(
    query: QueryName,
    parameters: Readonly<Record<string, unknown>>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Row[]>;

  /**
   * Inserts rows as one block: when it resolves all of them are in ClickHouse, with everything that
   * materialized views make of them. When it rejects, some or none are, and the same rows may be sent again.
   * @throws the same errors as {@link ClickHouse.read}.
   */
  insert(table: string, rows: readonly object[]): Promise<void>;

  /**
   * The same of rows that are written already, see `RowBinary`.
   * @param columns of the table, in the order in which the rows have them
   * @param chunks whole rows when put together
   * @throws the same errors as {@link ClickHouse.read}.
   */
  insertBinary(
    table: string,
    columns: readonly string[],
    chunks: readonly Uint8Array[],
  ): Promise<void>;

  /**
   * Runs an `INSERT … SELECT` of `sql/queries`: what is stored never leaves ClickHouse. As with
   * {@link ClickHouse.insert}, when it rejects, some or none is stored, and it may be run again.
   * @throws the same errors as {@link ClickHouse.read}.
   */
  write(query: QueryName, parameters: Readonly<Record<string, unknown>>): Promise<void>;

  /** Resolves when ClickHouse answers, rejects with {@link ClickHouseUnavailableError} when it does not. */
  ping(): Promise<void>;

  /** Ends the connection and, where it is embedded, the engine; resolves when its files are closed. */
  close(): Promise<void>;
}

/** Where the engine tells its operator what happens; a pino logger is one. */
export type Log = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (details: object, message: string) => void>
>;
