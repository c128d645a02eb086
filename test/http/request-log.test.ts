import { expect, test } from 'vitest';
import { testKey, useService } from '../support/http/service.ts';
import { serviceFixture } from '../support/fixtures.ts';

const service = serviceFixture({ LOG_LEVEL: 'trace' });

/** Waits for the log line of a request. */
async function readLogLine(requestId: string | null): Promise<Record<string, unknown>> {
  const find = () =>
    service
      .logLines()
      .find((line) => line['request_id'] === requestId && line['msg'] === 'request');
  await expect.poll(find).toBeDefined();
  return find() ?? {};
}

test('each request is logged in one line with method, route, status, duration, id and key name', async () => {
  const { headers } = await service.send('/calls/usage', { body: {} });

  const id = headers.get('x-request-id');
  const { time, duration_ms, ...line } = await readLogLine(id);
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

test('the logged route is the template of the path, without entity and project', async () => {
  const answer = await service.send('/v2/secret-entity/secret-project/call/start', { body: {} });

  const line = await readLogLine(answer.headers.get('x-request-id'));
  expect(line['route']).toBe('/v2/:entity/:project/call/start');
});

test('a request without a key or for an unknown path is logged', async () => {
  const without = await service.send('/server_info', { key: null });
  const unknown = await service.send('/no/such/path');

  expect(await readLogLine(without.headers.get('x-request-id'))).toMatchObject({ status: 401 });
  expect(await readLogLine(without.headers.get('x-request-id'))).not.toHaveProperty('key');
  const line = await readLogLine(unknown.headers.get('x-request-id'));
  expect(line).toMatchObject({ status: 404, route: 'unmatched', key: 'key-1' });
});

test('the log line of a failed request has the error', async () => {
  const body = { project_id: 'a/b', call_ids: ['x'] };
  const answer = await service.send('/calls/usage', { body });

  expect(answer.status).toBe(503);
  const line = await readLogLine(answer.headers.get('x-request-id'));
  expect(line).toMatchObject({
    level: 40,
    status: 503,
    error: { name: 'ClickHouseUnavailableError' },
  });
});

test.each(['abc', 'A-z_0.9', 'x'.repeat(128), '0b5f7a5e-2f5c-4f7e-9d8f-0123456789ab'])(
  'the valid request id %s of a client is used',
  async (id) => {
    const { headers } = await service.send('/health', { headers: { 'x-request-id': id } });
    expect(headers.get('x-request-id')).toBe(id);
    await readLogLine(id);
  },
);

test.each(['', 'a b', 'x'.repeat(129), 'a"b', 'a,b', 'ä', '{"level":60}'])(
  'the invalid request id "%s" of a client is replaced by a new one',
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
] as const)('an answer with status %s has a request id', async (status, path, request) => {
  const answer = await service.send(path, request);
  expect(String(answer.status)).toBe(status);
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('no log line has an API key, a part of a body or a call id', async () => {
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
  for (const answer of answers) await readLogLine(answer.headers.get('x-request-id'));

  const log = JSON.stringify(service.logLines());
  expect(log).not.toContain(secret);
  expect(log).not.toContain(testKey);
  expect(log).not.toContain(btoa(`api:${testKey}`));
});

test('500 requests that fail in an outage are two short lines, which count all of them', async () => {
  const outage = await useService();
  const startedAt = performance.now();
  const body = { project_id: 'a/b', call_ids: ['x'] };
  const requests = Array.from({ length: 500 }, () => outage.send('/calls/usage', { body }));
  expect(new Set((await Promise.all(requests)).map(({ status }) => status))).toEqual(
    new Set([503]),
  );
  const lines = () => outage.logLines().filter(({ status }) => status === 503);
  const count = () =>
    lines().reduce((sum, line) => sum + ((line['requests'] as number | undefined) ?? 1), 0);
  await expect.poll(count).toBe(500);

  expect(lines().filter(({ msg }) => msg === 'request')).toHaveLength(1);
  // One line a second, however long 500 requests take.
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(lines().length).toBeLessThanOrEqual(2 + seconds);
  for (const line of lines()) {
    expect(JSON.stringify(line)).not.toContain('    at ');
    expect(JSON.stringify(line).length).toBeLessThan(500);
  }
});
