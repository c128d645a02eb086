import { ClickHouseError } from '@clickhouse/client';

import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  DiskFullError,
  ClickHouseStartError,
  DamagedDataError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../errors.ts';
import { MemoryBudgetError } from '../../memory-budget.ts';

/**
 * Maps an error of the ClickHouse client to an error of `errors.ts`, with the original as its cause.
 * @param label names the failed request, for example by its query
 */
export function mapError(error: unknown, label: string): Error {
  if (isMappedError(error)) return error;
  const cause = { cause: error };
  switch (toErrorKind(error)) {
    case 'timedOut':
      return new QueryTimeoutError(`${label} exceeded its time limit`, cause);
    case 'overloaded':
      return new ClickHouseOverloadedError(`ClickHouse has no resources for ${label}`, cause);
    case 'diskFull':
      return new DiskFullError(`ClickHouse has no disk space left for ${label}`, cause);
    case 'resultTooLarge':
      return new ResultTooLargeError(`The result of ${label} is larger than allowed`, cause);
    case 'unreadable':
      return new DamagedDataError(
        'unreadable',
        `ClickHouse cannot read what ${label} needs`,
        cause,
      );
    case 'loginRefused':
      return new ClickHouseUnavailableError('ClickHouse refuses user name or password', cause);
    case 'databaseMissing':
      return new ClickHouseUnavailableError('The database is missing', cause);
    case 'unavailable':
    case 'unreachable':
      return new ClickHouseUnavailableError(`ClickHouse is unavailable for ${label}`, cause);
    case 'other':
      return new Error(`${label} failed in ClickHouse`, cause);
  }
}

/** Whether an error is one of `errors.ts` already, or is not of ClickHouse: a result has no room in the service. */
export function isMappedError(error: unknown): error is Error {
  return [
    ClickHouseUnavailableError,
    ClickHouseOverloadedError,
    DiskFullError,
    ClickHouseStartError,
    DamagedDataError,
    QueryTimeoutError,
    ResultTooLargeError,
    MemoryBudgetError,
  ].some((each) => error instanceof each);
}

/** Error codes of ClickHouse, from its `system.errors`. */
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
    252, // TOO_MANY_PARTS
    439, // CANNOT_SCHEDULE_TASK
    745, // SERVER_OVERLOADED
  ]),
  diskFull: new Set([
    243, // NOT_ENOUGH_SPACE
  ]),
  resultTooLarge: new Set([
    158, // TOO_MANY_ROWS
    307, // TOO_MANY_BYTES
    396, // TOO_MANY_ROWS_OR_BYTES
  ]),
  unreadable: new Set([
    33, // CANNOT_READ_ALL_DATA
    40, // CHECKSUM_DOESNT_MATCH
    74, // CANNOT_READ_FROM_FILE_DESCRIPTOR
    107, // FILE_DOESNT_EXIST
    226, // NO_FILE_IN_DATA_PART
    228, // BAD_SIZE_OF_FILE_IN_DATA_PART
    231, // TOO_MANY_UNEXPECTED_DATA_PARTS: too many damaged parts, so that ClickHouse did not load the table
    246, // CORRUPTED_DATA
    271, // CANNOT_DECOMPRESS
    695, // ASYNC_LOAD_WAIT_FAILED: a table was not loaded
  ]),
  loginRefused: new Set([
    192, // UNKNOWN_USER
    193, // WRONG_PASSWORD
    194, // REQUIRED_PASSWORD
    516, // AUTHENTICATION_FAILED
  ]),
  databaseMissing: new Set([
    81, // UNKNOWN_DATABASE
  ]),
  unavailable: new Set([
    209, // SOCKET_TIMEOUT
    210, // NETWORK_ERROR
    236, // ABORTED: the server is shutting down
    242, // TABLE_IS_READ_ONLY: a replica has lost its Keeper
    279, // ALL_CONNECTION_TRIES_FAILED
    285, // TOO_FEW_LIVE_REPLICAS
    319, // UNKNOWN_STATUS_OF_INSERT
    394, // QUERY_WAS_CANCELLED by somebody else; cancellations of this service are handled before
    735, // QUERY_WAS_CANCELLED_BY_CLIENT
    999, // KEEPER_EXCEPTION
  ]),
} as const;

/**
 * What a failed request to ClickHouse means for the service. `unavailable` is reported by a server that answers,
 * `unreachable` means that no answer came from it.
 */
export type ErrorKind = keyof typeof codes | 'unreachable' | 'other';

/** Codes of errors that come from Node's sockets, its HTTP parser and TLS. */
const socketErrorCode =
  /^(E(?!RR_)[A-Z_]+|ERR_(TLS|SSL|STREAM_PREMATURE)_.+|HPE_.+|CERT_.+|DEPTH_.+|SELF_.+|UNABLE_.+)$/;

/** ENOSPC, which ClickHouse reports with the code of what it was writing at the moment. */
const diskFullMessage = /No space left on device|\berrno: 28\b/;

/** Messages of errors without a code, from the client, a proxy or a lost connection. */
const unreachableMessage =
  /socket hang up|aborted|premature close|Bad Gateway|Service (Temporarily )?Unavailable|Gateway Time-?out|no healthy upstream/i;

/** Classifies an error of the ClickHouse client. */
export function toErrorKind(error: unknown): ErrorKind {
  const number = toErrorCode(error);
  if (number !== undefined) {
    if (diskFullMessage.test((error as Error).message)) return 'diskFull';
    const kinds = Object.keys(codes) as (keyof typeof codes)[];
    return kinds.find((kind) => codes[kind].has(number)) ?? 'other';
  }
  if (!(error instanceof Error)) return 'other';
  if (error.message === 'Timeout error.') return 'timedOut';
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && socketErrorCode.test(code)) return 'unreachable';
  return unreachableMessage.test(error.message) ? 'unreachable' : 'other';
}

/** The code of an error that ClickHouse answered with, undefined for any other error. */
export function toErrorCode(error: unknown): number | undefined {
  return error instanceof ClickHouseError ? Number(error.code) : undefined;
}
