import { describe, expect, test } from 'vitest';
import { QueueFullError } from '../../src/queues/queue-errors.ts';
import {
  ClickHouseUnavailableError,
  ClickHouseOverloadedError,
  DiskFullError,
  QueryTimeoutError,
  ResultTooLargeError,
} from '../../src/clickhouse/errors.ts';
import { apiErrors } from '../../src/http/api-errors.ts';
import { toApiError } from '../../src/http/errors.ts';
import { LimitExceededError } from '../../src/usage/limits/limit-exceeded-error.ts';
import { serviceFixture } from '../support/fixtures.ts';
import { issueTypesOf } from '../support/http/validation-issues.ts';

describe('toApiError', () => {
  const secret = "SELECT secret FROM table at query.ts:12, user 'default'";

  test.each([
    [new ClickHouseUnavailableError(secret), 503, '1'],
    [new ClickHouseOverloadedError(secret), 503, '1'],
    [new DiskFullError(secret), 503, '1'],
    [new QueueFullError('inserts', secret), 503, '1'],
    [new QueryTimeoutError(secret), 504, undefined],
    [new ResultTooLargeError(secret), 422, undefined],
    [new Error(secret), 500, undefined],
    [new TypeError(secret), 500, undefined],
    [secret, 500, undefined],
    [undefined, 500, undefined],
  ])('answers %o with status %i and no text of the error', (thrown, status, retryAfter) => {
    const error = toApiError(thrown);

    expect(error.status).toBe(status);
    expect(error.headers['retry-after']).toBe(retryAfter);
    expect(JSON.stringify([error.detail, error.headers])).not.toContain('secret');
  });

  test('answers an unexpected error with "Internal Server Error" only', () => {
    expect(toApiError(new Error(secret)).detail).toBe('Internal Server Error');
  });

  test.each([
    ['inserts', 'Too many calls wait to be inserted; try again.'],
    ['usage requests', 'Too many usage requests are queued; try again.'],
  ] as const)('names the full queue of %s', (queue, detail) => {
    expect(toApiError(new QueueFullError(queue, secret)).detail).toBe(detail);
  });

  test('answers an exceeded limit with both numbers at the place of the limit', () => {
    const error = toApiError(new LimitExceededError(2n ** 64n, 10_000));
    expect(error.status).toBe(422);
    expect(error.detail).toEqual([
      {
        loc: ['body', 'limit'],
        msg: `The request touches ${2n ** 64n} calls, which is more than its limit of 10000`,
        type: 'limit_exceeded',
      },
    ]);
  });

  test('answers an error of the catalogue unchanged', () => {
    const error = apiErrors.forbidden('why');
    expect(toApiError(error)).toBe(error);
  });
});

describe('every answer other than 2xx is JSON with a detail', () => {
  const service = serviceFixture({ BODY_LIMIT_MB: '1' });
  const usageRequest = { project_id: 'a/b', call_ids: ['x'] };

  test.each([
    [401, '/calls/usage', { key: null, body: usageRequest }, 'Not authenticated'],
    [404, '/no/such/path', {}, 'Not Found'],
    [404, '/CALLS/USAGE', { body: usageRequest }, 'Not Found'],
    [404, '/calls/usage/', { body: usageRequest }, 'Not Found'],
    [404, '/v2/%E0%A4%A/x/call/start', { body: {} }, 'Not Found'],
    [404, '/docs/../../package.json', {}, 'Not Found'],
    [404, '/docs/%2e%2e%2fpackage.json', {}, 'Not Found'],
    [405, '/calls/usage', {}, 'Method Not Allowed'],
    [413, '/calls/usage', { body: ' '.repeat(1_048_577) }, 'The body is larger than the limit.'],
    [503, '/calls/usage', { body: usageRequest }, 'ClickHouse is unavailable; try again.'],
  ] as const)('%i for %s', async (status, path, request, detail) => {
    const answer = await service.send(path, request);

    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.json()).toEqual({ detail });
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
  });

  test.each([
    ['/calls/usage', 'GET', 'POST'],
    ['/calls/usage', 'PUT', 'POST'],
    ['/calls/usage', 'DELETE', 'POST'],
    ['/calls/usage', 'PATCH', 'POST'],
    ['/calls/usage', 'OPTIONS', 'POST'],
    ['/call/upsert_batch', 'GET', 'POST'],
    ['/v2/a/b/calls/complete', 'GET', 'POST'],
    ['/health', 'POST', 'GET, HEAD'],
    ['/server_info', 'POST', 'GET, HEAD'],
    ['/openapi.json', 'DELETE', 'GET, HEAD'],
  ])('%s answers %s with 405 and the allowed methods', async (path, method, allow) => {
    const answer = await service.send(path, { method });

    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
    expect(answer.json()).toEqual({ detail: 'Method Not Allowed' });
  });

  test('HEAD answers the status of GET without a body', async () => {
    const answer = await service.send('/server_info', { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('');
  });

  test('one answer lists every validation issue of a request', async () => {
    const body = { call_ids: ['x', 1], include_costs: 'yes', limit: 0, more: 1 };
    const answer = await service.send('/calls/usage', { body });

    expect(answer.status).toBe(422);
    expect(issueTypesOf(answer).sort()).toEqual([
      'body.call_ids.1 string_type',
      'body.include_costs bool_type',
      'body.limit greater_than_equal',
      'body.more extra_forbidden',
      'body.project_id missing',
    ]);
  });
});
