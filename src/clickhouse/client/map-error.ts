import { ClickHouseError } from '@clickhouse/client';

import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  ClickHouseStartError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../errors.ts';

/** Numbers of ClickHouse's errors, from its `system.errors`. */
const codes = {
  timedOut: new Set([
    159, // TIMEOUT_EXCEEDED
    160, // TOO_SLOW
  ]),
  overloaded: new Set([
    173, // CANNOT_ALLOCATE_MEMORY
    201, // QUOTA_EXCEEDED
    202, // TOO_MANY_SIMULTANEOUS_QUERIES
    241, // MEMORY_LIMIT_EXCEEDED
    243, // NOT_ENOUGH_SPACE
    252, // TOO_MANY_PARTS
    439, // CANNOT_SCHEDULE_TASK
    745, // SERVER_OVERLOADED
  ]),
  tooLarge: new Set([
    158, // TOO_MANY_ROWS
    307, // TOO_MANY_BYTES
    396, // TOO_MANY_ROWS_OR_BYTES
  ]),
  refused: new Set([
    192, // UNKNOWN_USER
    193, // WRONG_PASSWORD
    194, // REQUIRED_PASSWORD
    516, // AUTHENTICATION_FAILED
  ]),
  databaseGone: new Set([
    81, // UNKNOWN_DATABASE
  ]),
  away: new Set([
    209, // SOCKET_TIMEOUT
    210, // NETWORK_ERROR
    236, // ABORTED: it is shutting down
    242, // TABLE_IS_READ_ONLY: a replica without its keeper
    279, // ALL_CONNECTION_TRIES_FAILED
    285, // TOO_FEW_LIVE_REPLICAS
    319, // UNKNOWN_STATUS_OF_INSERT
    394, // QUERY_WAS_CANCELLED: not by us, our own cancelling is told apart before
    735, // QUERY_WAS_CANCELLED_BY_CLIENT
    999, // KEEPER_EXCEPTION
  ]),
} as const;

/** What a failed request to ClickHouse means to the service. */
export type ErrorKind = keyof typeof codes | 'other';

/** Errors of Node's sockets, of its HTTP parser and of TLS carry such a code. */
const socketErrorCode =
  /^(E(?!RR_)[A-Z_]+|ERR_(TLS|SSL|STREAM_PREMATURE)_.+|HPE_.+|CERT_.+|DEPTH_.+|SELF_.+|UNABLE_.+)$/;

/** What the client, a proxy or a dropped connection says in words only. */
const awayMessage =
  /socket hang up|aborted|premature close|Bad Gateway|Service (Temporarily )?Unavailable|Gateway Time-?out|no healthy upstream/i;

/** Sorts what the ClickHouse client threw. */
export function toErrorKind(error: unknown): ErrorKind {
  const number = toErrorCode(error);
  if (number !== undefined) {
    const kinds = Object.keys(codes) as (keyof typeof codes)[];
    return kinds.find((kind) => codes[kind].has(number)) ?? 'other';
  }
  if (!(error instanceof Error)) return 'other';
  if (error.message === 'Timeout error.') return 'timedOut';
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && socketErrorCode.test(code)) return 'away';
  return awayMessage.test(error.message) ? 'away' : 'other';
}

/** The number of a ClickHouse error, undefined for any other. */
export function toErrorCode(error: unknown): number | undefined {
  return error instanceof ClickHouseError ? Number(error.code) : undefined;
}

/**
 * Turns what the ClickHouse client threw into an error of the engine, the thrown one being its cause.
 * @param label what was asked of ClickHouse, such as the name of a query
 */
export function mapError(error: unknown, label: string): Error {
  if (isMappedError(error)) return error;
  const cause = { cause: error };
  switch (toErrorKind(error)) {
    case 'timedOut':
      return new QueryTimeoutError(`${label} ran into its time limit`, cause);
    case 'overloaded':
      return new ClickHouseOverloadedError(`ClickHouse has no room for ${label}`, cause);
    case 'tooLarge':
      return new ResultTooLargeError(`The answer of ${label} is larger than allowed`, cause);
    case 'refused':
      return new ClickHouseUnavailableError('ClickHouse refuses user name or password', cause);
    case 'databaseGone':
      return new ClickHouseUnavailableError('The database is not there', cause);
    case 'away':
      return new ClickHouseUnavailableError(
        `ClickHouse cannot be reached or went away under ${label}`,
        cause,
      );
    case 'other':
      return new Error(`${label} failed in ClickHouse`, cause);
  }
}

function isMappedError(error: unknown): error is Error {
  return [
    ClickHouseUnavailableError,
    ClickHouseOverloadedError,
    ClickHouseStartError,
    QueryTimeoutError,
    ResultTooLargeError,
  ].some((each) => error instanceof each);
}
