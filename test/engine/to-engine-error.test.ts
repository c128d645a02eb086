import { describe, expect, test } from 'vitest';

import {
  EngineAwayError,
  EngineOverloadedError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../../src/engine/engine.ts';
import { toEngineError } from '../../src/engine/to-engine-error.ts';
import { clickHouseError } from '../support/engine.ts';

function socketError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

type Case = readonly [Error, new (message: string) => Error];

const cases: readonly Case[] = [
  [clickHouseError(159, 'TIMEOUT_EXCEEDED'), QueryTimeoutError],
  [clickHouseError(160, 'TOO_SLOW'), QueryTimeoutError],
  [new Error('Timeout error.'), QueryTimeoutError],
  [clickHouseError(241, 'MEMORY_LIMIT_EXCEEDED'), EngineOverloadedError],
  [clickHouseError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES'), EngineOverloadedError],
  [clickHouseError(252, 'TOO_MANY_PARTS'), EngineOverloadedError],
  [clickHouseError(243, 'NOT_ENOUGH_SPACE'), EngineOverloadedError],
  [clickHouseError(396, 'TOO_MANY_ROWS_OR_BYTES'), ResultTooLargeError],
  [clickHouseError(516, 'AUTHENTICATION_FAILED'), EngineAwayError],
  [clickHouseError(81, 'UNKNOWN_DATABASE'), EngineAwayError],
  [clickHouseError(210, 'NETWORK_ERROR'), EngineAwayError],
  [clickHouseError(242, 'TABLE_IS_READ_ONLY'), EngineAwayError],
  [clickHouseError(394, 'QUERY_WAS_CANCELLED'), EngineAwayError],
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'].map(
    (code): Case => [socketError(code), EngineAwayError],
  ),
  [socketError('HPE_INVALID_CONSTANT'), EngineAwayError],
  [socketError('DEPTH_ZERO_SELF_SIGNED_CERT'), EngineAwayError],
  [socketError('ERR_TLS_CERT_ALTNAME_INVALID'), EngineAwayError],
  [new Error('socket hang up'), EngineAwayError],
  [new Error('<html><h1>502 Bad Gateway</h1></html>'), EngineAwayError],
  [new Error('<h1>503 Service Temporarily Unavailable</h1>'), EngineAwayError],
];

describe('what the client throws becomes an error of the engine', () => {
  test.each(cases)('%s', (error, type) => {
    const thrown = toEngineError(error, 'some_query');
    expect(thrown).toBeInstanceOf(type);
    expect(thrown.cause).toBe(error);
  });

  test.each([
    clickHouseError(60, 'UNKNOWN_TABLE'),
    clickHouseError(62, 'SYNTAX_ERROR'),
    socketError('ERR_INVALID_ARG_TYPE'),
    new Error('something else'),
  ])('or a plain error that names the query: %s', (error) => {
    const thrown = toEngineError(error, 'some_query');
    expect(thrown.name).toBe('Error');
    expect(thrown.message).toBe('some_query failed in ClickHouse');
    expect(thrown.cause).toBe(error);
  });
});
