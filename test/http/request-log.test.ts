import { expect, test } from 'vitest';
import { testKey } from '../support/service.ts';
import { serviceFixture } from '../support/fixtures.ts';

const service = serviceFixture({ LOG_LEVEL: 'trace' });

/** The log line of a request, by its id. */
async function lineOf(requestId: string | null): Promise<Record<string, unknown>> {
  const find = () =>
    service
      .logLines()
      .find((line) => line['request_id'] === requestId && line['msg'] === 'request');
  return expect
    .poll(find)
    .toBeDefined()
    .then(() => find() ?? {});
}

test('each request gets one line with method, route, status, duration, id and key name', async () => {
  const { headers } = await service.send('/calls/usage', { body: {} });

  const id = headers.get('x-request-id');
  const { time, duration_ms, ...line } = await lineOf(id);
  expect(line).toEqual({
    level: 30,
    method: 'POST',
    route: '/calls/usage',
    status: 422,
    request_id: id,
    key: 'key-1',
    msg: 'request',
  });
  expect(duration_ms).toEqual(expect.any(Number));
  expect(time).toEqual(expect.any(String));
  expect(service.logLines().filter((each) => each['request_id'] === id)).toHaveLength(1);
});

test('the route in the line is the template, never a path with names in it', async () => {
  const answer = await service.send('/v2/secret-entity/secret-project/call/start', { body: {} });

  const line = await lineOf(answer.headers.get('x-request-id'));
  expect(line['route']).toBe('/v2/:entity/:project/call/start');
});

test('a request without a key or for no known path is logged too', async () => {
  const without = await service.send('/server_info', { key: null });
  const unknown = await service.send('/no/such/path');

  expect(await lineOf(without.headers.get('x-request-id'))).toMatchObject({ status: 401 });
  expect(await lineOf(without.headers.get('x-request-id'))).not.toHaveProperty('key');
  const line = await lineOf(unknown.headers.get('x-request-id'));
  expect(line).toMatchObject({ status: 404, route: 'unmatched', key: 'key-1' });
});

test('why a request failed is in its line', async () => {
  const answer = await service.send('/health');

  expect(answer.status).toBe(503);
  const line = await lineOf(answer.headers.get('x-request-id'));
  expect(line).toMatchObject({
    level: 40,
    status: 503,
    error: { name: 'ClickHouseUnavailableError' },
  });
});

test.each(['abc', 'A-z_0.9', 'x'.repeat(128), '0b5f7a5e-2f5c-4f7e-9d8f-0123456789ab'])(
  'the request id %s of a client is kept',
  async (id) => {
    const { headers } = await service.send('/health', { headers: { 'x-request-id': id } });
    expect(headers.get('x-request-id')).toBe(id);
    await lineOf(id);
  },
);

test.each(['', 'a b', 'x'.repeat(129), 'a"b', 'a,b', 'ä', '{"level":60}'])(
  'the request id "%s" of a client is replaced by a new one',
  async (id) => {
    const { headers } = await service.send('/health', { headers: { 'x-request-id': id } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  },
);

test.each([
  ['200', '/server_info', {}],
  ['401', '/server_info', { key: 'wrong' }],
  ['404', '/no/such/path', {}],
  ['405', '/calls/usage', {}],
  ['415', '/calls/usage', { body: 'x', headers: { 'content-encoding': 'x' } }],
  ['422', '/calls/usage', { body: 'x' }],
  ['503', '/health', {}],
] as const)('an answer with %s carries a request id', async (status, path, request) => {
  const answer = await service.send(path, request);
  expect(String(answer.status)).toBe(status);
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('no line holds a key, a body or an id of a call', async () => {
  const secret = 'do-not-log-me';
  const start = { project_id: secret, id: secret, [secret]: secret };
  const answers = await Promise.all([
    service.send('/server_info', { key: secret }),
    service.send(`/${secret}?${secret}`),
    service.send(`/v2/${secret}/${secret}/calls/complete`, { body: { batch: [start] } }),
    service.send('/call/start', { body: { start } }),
    service.send('/call/upsert_batch', { body: { batch: [{ mode: 'start', req: { start } }] } }),
    service.send('/calls/usage', { body: { project_id: secret, call_ids: [secret] } }),
    service.send('/calls/usage', { body: { [secret]: secret } }),
    service.send('/calls/usage', { body: `{"${secret}` }),
    service.send('/calls/usage', {
      body: { project_id: 'a/b', call_ids: [] },
      headers: { [secret]: secret, 'user-agent': secret },
    }),
  ]);
  for (const answer of answers) await lineOf(answer.headers.get('x-request-id'));

  const log = JSON.stringify(service.logLines());
  expect(log).not.toContain(secret);
  expect(log).not.toContain(testKey);
  expect(log).not.toContain(btoa(`api:${testKey}`));
});
