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

/** The service cannot start on this ClickHouse with these settings; the message is written for the operator. */
export class ClickHouseStartError extends Error {
  override readonly name = 'ClickHouseStartError';
}
