import type { QueryName } from './queries.ts';

/** Where parts and prices are kept and every question is answered: one ClickHouse, embedded or remote. */
export interface Engine {
  /** ClickHouse's version, such as `26.7.2.1`. */
  readonly version: string;

  /**
   * Runs `sql/queries/<name>.sql` and returns its rows, one object a row. 64-bit and wider integers and
   * decimals arrive as text, exact.
   *
   * @param parameters one value for each `{name: Type}` of the statement; a missing, extra or undefined
   *   one is refused before anything is sent.
   * @throws {EngineAwayError} ClickHouse cannot be reached or is restarting.
   * @throws {EngineOverloadedError} ClickHouse refuses for want of memory or of a free query slot.
   * @throws {QueryTimeoutError} the query ran into its time limit.
   */
  read<Row>(
    query: QueryName,
    parameters: Readonly<Record<string, unknown>>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Row[]>;

  /**
   * Inserts rows as one block: when it resolves all of them are in ClickHouse, with everything that
   * materialized views make of them. When it rejects, some or none are, and the same rows may be sent again.
   * @throws the same errors as {@link Engine.read}.
   */
  insert(table: string, rows: readonly object[]): Promise<void>;

  /** Resolves when ClickHouse answers, rejects with {@link EngineAwayError} when it does not. */
  ping(): Promise<void>;

  /** Ends the connection and, where it is embedded, the engine; resolves when its files are closed. */
  close(): Promise<void>;
}

/** ClickHouse is not there: starting, restarting, unreachable, or it went away under the request. */
export class EngineAwayError extends Error {
  override readonly name = 'EngineAwayError';
}

/** ClickHouse is there but has no room: memory, query slots, too many parts. */
export class EngineOverloadedError extends Error {
  override readonly name = 'EngineOverloadedError';
}

/** A query ran into its time limit. */
export class QueryTimeoutError extends Error {
  override readonly name = 'QueryTimeoutError';
}

/** The service cannot start on this engine as configured; the message is for the operator. */
export class EngineStartError extends Error {
  override readonly name = 'EngineStartError';
}
