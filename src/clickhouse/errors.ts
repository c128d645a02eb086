/** ClickHouse cannot be used now: it is starting or unreachable, or the connection was lost during the request. */
export class ClickHouseUnavailableError extends Error {
  override readonly name = 'ClickHouseUnavailableError';
}

/** ClickHouse answers but refuses the request for lack of memory or query slots, or for too many parts. */
export class ClickHouseOverloadedError extends Error {
  override readonly name = 'ClickHouseOverloadedError';
}

/** ClickHouse has no disk space left. Unlike an overload this does not pass by itself. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
}

/** A query exceeded its time limit. */
export class QueryTimeoutError extends Error {
  override readonly name = 'QueryTimeoutError';
}

/** A result has more rows or bytes than QUERY_RESULT_ROWS and QUERY_RESULT_MB allow. */
export class ResultTooLargeError extends Error {
  override readonly name = 'ResultTooLargeError';
}

/** Why results would lack rows, or cannot be read at all. */
export type DamageState = 'damaged' | 'rebuilding' | 'unreadable';

/**
 * A result would lack rows, because parts of its tables are damaged: `damaged` until an operator accepts the loss,
 * `rebuilding` until a derived table is filled again. `unreadable`: ClickHouse met damage while it ran the query.
 */
export class DamagedDataError extends Error {
  override readonly name = 'DamagedDataError';
  readonly state: DamageState;

  constructor(state: DamageState, message: string, options?: ErrorOptions) {
    super(message, options);
    this.state = state;
  }
}

/** The service cannot start on this ClickHouse with these settings; the message is written for the operator. */
export class ClickHouseStartError extends Error {
  override readonly name = 'ClickHouseStartError';
}
