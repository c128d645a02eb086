import { once } from 'node:events';
import { expect, test } from 'vitest';
import fc from 'fast-check';
import { serviceFixture } from '../support/fixtures.ts';
import { issueTypesOf } from '../support/http/validation-issues.ts';
import { basicAuthorization, testKey } from '../support/http/service.ts';
import { useTcpClient } from '../support/http/tcp-client.ts';
import { securityHeaders } from '../../src/http/security-headers.ts';

const service = serviceFixture({ AUTH_FAILURES_PER_MINUTE: '0' });

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'];
const paths = [
  '/',
  '/calls/usage',
  '/calls/usage/',
  '/CALLS/USAGE',
  '/calls%2Fusage',
  '/call/start?x=%ff',
  '/%',
  '/%ff%fe',
  '//calls/usage',
  '/../../etc/passwd',
  '/docs/../../package.json',
  '/docs/%2e%2e%2fpackage.json',
  '/v2/a/b/calls/complete',
  '/v2/%00/b/call/start',
  `/v2/${'a'.repeat(5_000)}/b/call/end`,
  '/v2//b/call/end',
  '/__proto__',
  '/health',
  '/cost/query',
  '/file/create',
  'http://other.example/calls/usage',
  '*',
];
const headerLines = [
  '',
  'content-type: application/json',
  'content-type: text/plain',
  'content-type: application/json; charset=utf-16',
  'content-type: multipart/form-data',
  'content-type: multipart/form-data; boundary=x',
  'content-encoding: gzip',
  'content-encoding: zstd, gzip',
  'transfer-encoding: chunked',
  'transfer-encoding: gzip',
  'sec-fetch-site: cross-site',
  'origin: null',
  'origin: http://[',
  `authorization: ${basicAuthorization('wrong')}`,
  'authorization: Bearer ',
  'authorization: Basic %%%',
  'x-http-method-override: DELETE',
  'x-request-id: ../../\tx',
  'expect: 100-continue',
  'expect: foo',
  'accept: application/xml',
  'range: bytes=0-1',
  'if-none-match: *',
  'upgrade: websocket',
  'connection: upgrade, close',
  'host: other.example',
  'cookie: a=b',
  'x-large: ' + 'x'.repeat(8_000),
  'x-unicode: \u00e9',
  'bad header: x',
];
const bodies = [
  '',
  '{}',
  'null',
  '[]',
  '{"project_id":',
  '\u0000',
  '--x--\r\n',
  '0\r\n\r\n',
  '"\ud800"',
];

const requests = fc.record({
  method: fc.constantFrom(...methods),
  path: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...paths) },
    fc.webPath().map((path) => path || '/'),
  ),
  headers: fc.array(fc.constantFrom(...headerLines), { maxLength: 4 }),
  isKnown: fc.boolean(),
  body: fc.constantFrom(...bodies),
});

test('every answer to a hostile request other than 2xx is JSON with a detail and a request id', async () => {
  const seen = new Set<number>();
  const property = fc.asyncProperty(requests, async ({ method, path, headers, isKnown, body }) => {
    const key = isKnown ? [`authorization: ${basicAuthorization(testKey)}`] : [];
    const length = `content-length: ${Buffer.byteLength(body)}`;
    const lines = [...key, 'host: x', 'connection: close', length, ...headers].filter(Boolean);
    const answer = await exchange(
      `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`,
    );
    seen.add(answer.status);
    expectOwnFormat(answer, method);
  });
  await fc.assert(property, { numRuns: 600, seed: 10 });
  // Otherwise the requests were not hostile in enough ways.
  expect([...seen].sort()).toEqual(expect.arrayContaining([400, 401, 403, 404, 405, 415, 422]));
});

interface Exchange {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes as they are and waits until the service ends the connection. */
async function exchange(request: string): Promise<Exchange> {
  const { socket, received } = await useTcpClient(service.url);
  const closed = once(socket, 'close');
  socket.write(Buffer.from(request, 'latin1'));
  await closed;
  const text = received().replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers),
    body: rest.join('\r\n\r\n'),
  };
}

function expectOwnFormat({ status, headers, body }: Exchange, method: string): void {
  expect(status).toBeGreaterThanOrEqual(200);
  expect(headers['x-request-id']).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  expect(headers).toMatchObject({
    'x-content-type-options': securityHeaders['x-content-type-options'],
    'referrer-policy': securityHeaders['referrer-policy'],
  });
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  if (status < 300) return;
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['content-type']).toMatch(/^application\/json/);
  if (method === 'HEAD') return;
  const answer = JSON.parse(body) as { readonly detail?: unknown };
  expect(answer.detail).toSatisfy(
    (detail) => (typeof detail === 'string' && detail !== '') || Array.isArray(detail),
  );
  expect(body).not.toMatch(/node_modules|\bat .*\.ts:/);
}

test('a project in the path that is too long is refused, though the batch has no items', async () => {
  const path = (entity: string, project: string) => `/v2/${entity}/${project}/calls/complete`;
  const long = 'a'.repeat(257);
  const body = { batch: [] };

  expect(issueTypesOf(await service.send(path(long, 'b'), { body }))).toEqual([
    'path.entity string_too_long',
  ]);
  expect(issueTypesOf(await service.send(path('a', long), { body }))).toEqual([
    'path.project string_too_long',
  ]);
  expect((await service.send(path('a', 'b'), { body })).status).not.toBe(422);
});

test('an expression of 2,054 nested $not is refused with 422', async () => {
  const levels = 2_054;
  const expression = '{"$not":['.repeat(levels) + '{"$literal":true}' + ']}'.repeat(levels);
  const body = `{"project_id":"a/b","query":{"$expr":${expression}}}`;

  expect(issueTypesOf(await service.send('/cost/query', { body }))).toEqual([
    'body.query.$expr too_long',
  ]);
});
