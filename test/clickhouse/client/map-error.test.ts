import { describe, expect, test } from 'vitest';

import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  DiskFullError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../../../src/clickhouse/errors.ts';
import { mapError } from '../../../src/clickhouse/client/map-error.ts';
import { clickHouseError } from '../../support/clickhouse/clickhouse.ts';

function socketError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

type Case = readonly [Error, new (message: string) => Error];

const cases: readonly Case[] = [
  [clickHouseError(159, 'TIMEOUT_EXCEEDED'), QueryTimeoutError],
  [clickHouseError(160, 'TOO_SLOW'), QueryTimeoutError],
  [new Error('Timeout error.'), QueryTimeoutError],
  [clickHouseError(241, 'MEMORY_LIMIT_EXCEEDED'), ClickHouseOverloadedError],
  [clickHouseError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES'), ClickHouseOverloadedError],
  [clickHouseError(252, 'TOO_MANY_PARTS'), ClickHouseOverloadedError],
  [clickHouseError(243, 'NOT_ENOUGH_SPACE'), DiskFullError],
  [
    clickHouseError(75, 'Cannot write: errno: 28, strerror: No space left on device'),
    DiskFullError,
  ],
  [clickHouseError(1001, 'filesystem error: No space left on device ["/data"]'), DiskFullError],
  [clickHouseError(396, 'TOO_MANY_ROWS_OR_BYTES'), ResultTooLargeError],
  [clickHouseError(516, 'AUTHENTICATION_FAILED'), ClickHouseUnavailableError],
  [clickHouseError(81, 'UNKNOWN_DATABASE'), ClickHouseUnavailableError],
  [clickHouseError(210, 'NETWORK_ERROR'), ClickHouseUnavailableError],
  [clickHouseError(242, 'TABLE_IS_READ_ONLY'), ClickHouseUnavailableError],
  [clickHouseError(394, 'QUERY_WAS_CANCELLED'), ClickHouseUnavailableError],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'].map(
    (code): Case => [socketError(code), ClickHouseUnavailableError],
  ),
  [socketError('HPE_INVALID_CONSTANT'), ClickHouseUnavailableError],
  [socketError('DEPTH_ZERO_SELF_SIGNED_CERT'), ClickHouseUnavailableError],
  [socketError('ERR_TLS_CERT_ALTNAME_INVALID'), ClickHouseUnavailableError],
  [new Error('socket hang up'), ClickHouseUnavailableError],
  [new Error('<html><h1>502 Bad Gateway</h1></html>'), ClickHouseUnavailableError],
  [new Error('<h1>503 Service Temporarily Unavailable</h1>'), ClickHouseUnavailableError],
];

describe('an error of the client', () => {
  test.each(cases)(
    'becomes an error of the service with the original as its cause: %s',
    (error, type) => {
      const thrown = mapError(error, 'some_query');
      expect(thrown).toBeInstanceOf(type);
      expect(thrown.cause).toBe(error);
    },
  );

  test.each([
    clickHouseError(60, 'UNKNOWN_TABLE'),
    clickHouseError(62, 'SYNTAX_ERROR'),
    socketError('ERR_INVALID_ARG_TYPE'),
    new Error('something else'),
  ])('of another kind becomes a plain error that names the query: %s', (error) => {
    const thrown = mapError(error, 'some_query');
    expect(thrown.name).toBe('Error');
    expect(thrown.message).toBe('some_query failed in ClickHouse');
    expect(thrown.cause).toBe(error);
  });
});
