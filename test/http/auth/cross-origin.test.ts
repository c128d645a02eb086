import { once } from 'node:events';
import { type IncomingMessage, request as startRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { serviceFixture } from '../../support/fixtures.ts';
import { basicAuthorization, testKey } from '../../support/http/service.ts';
import { parseSettings } from '../../../src/settings/settings.ts';

const body = { project_id: 'a/b', call_ids: [] };
const refusal = {
  detail:
    'Requests by pages of other origins are refused, unless CORS_ORIGINS contains the origin.',
};
/** Sends exactly these headers; `fetch` adds its own. */
async function sendHeaders(
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<{ status: number | undefined; text: string }> {
  const request = startRequest(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: basicAuthorization(testKey), ...headers },
  });
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, text: await text(answer) };
}

const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };

describe('without CORS_ORIGINS', () => {
  const service = serviceFixture();

  test.each([
    ['of another site', { 'sec-fetch-site': 'cross-site' }],
    ['of another origin of the same site', { 'sec-fetch-site': 'same-site' }],
    ['of another host, in a browser without Sec-Fetch-Site', { origin: 'https://evil.example' }],
    ['of another port', { origin: 'http://127.0.0.1:1' }],
    ['without an origin', { origin: 'null' }],
    ['of two origins', { origin: 'http://a, http://b' }],
  ])(
    'a request by a page %s is refused with 403, though the key is right',
    async (_what, headers) => {
      const answer = await service.send('/calls/usage', { body, headers });

      expect(answer.status).toBe(403);
      expect(answer.json()).toEqual(refusal);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  test.each([
    ['by its own page', () => ({ 'sec-fetch-site': 'same-origin', origin: service.url })],
    ['by its own page, without Sec-Fetch-Site', () => ({ origin: service.url })],
    [
      'by its own page behind a proxy that terminates TLS',
      () => ({ origin: service.url.replace('http:', 'https:') }),
    ],
    [
      'by its own page behind a proxy with another name',
      () => ({ 'sec-fetch-site': 'same-origin', origin: 'https://usage.example' }),
    ],
    ['that a user typed', () => ({ 'sec-fetch-site': 'none' })],
    ['of a client that is no browser', () => ({})],
  ])('a request %s is accepted', async (_what, headers) => {
    expect((await service.send('/calls/usage', { body, headers: headers() })).status).toBe(200);
  });

  test('a link of another site to /docs works', async () => {
    const headers = { ...link, 'sec-fetch-dest': 'document' };
    expect((await sendHeaders(`${service.url}/docs`, headers)).status).toBe(200);
  });

  test.each([
    ['a frame with /docs', '/docs', { ...link, 'sec-fetch-dest': 'iframe' }, undefined],
    [
      'a form that is sent to /calls/usage',
      '/calls/usage',
      { ...link, 'sec-fetch-dest': 'document', 'content-type': 'application/json' },
      body,
    ],
    [
      'a script that is loaded from /openapi.json',
      '/openapi.json',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
      undefined,
    ],
  ])('%s is refused on a page of another site', async (_what, path, headers, content) => {
    expect((await sendHeaders(service.url + path, headers, content)).status).toBe(403);
  });

  test('a preflight request is refused', async () => {
    const answer = await service.send('/calls/usage', {
      method: 'OPTIONS',
      key: null,
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(answer.status).toBe(403);
  });

  test.each([
    ['Origin', () => ({ origin: service.url })],
    ['Sec-Fetch-Site', () => ({ 'sec-fetch-site': 'same-origin' })],
  ])(
    'a POST of a browser, which sends %s, is refused without a content type, with what would be right',
    async (_header, toHeaders) => {
      const answer = await sendHeaders(`${service.url}/calls/usage`, toHeaders(), body);
      expect(answer.status).toBe(422);
      expect(answer.text).toContain('the content type should be application/json');
    },
  );

  test.each(['/usage/explain', '/cost/unpriced', '/cost/resolve', '/graphql', '/v1/traces'])(
    'a POST to %s, which no SDK uses without a content type, is refused with what would be right',
    async (path) => {
      const answer = await sendHeaders(`${service.url}${path}`, {}, body);
      expect(answer.status).toBe(415);
      expect(answer.text).toMatch(/must be application\/(json|x-protobuf or application\/json)\./);
      const type = { 'content-type': 'application/json' };
      expect((await sendHeaders(`${service.url}${path}`, type, body)).status).not.toBe(415);
    },
  );

  test('a POST to a path of SDKs without a content type is read as JSON', async () => {
    const answer = await sendHeaders(`${service.url}/calls/usage`, {}, {});
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('Field required');
  });
});

describe('with CORS_ORIGINS', () => {
  const origin = 'https://dashboard.example';
  const service = serviceFixture({ CORS_ORIGINS: `${origin}, http://localhost:3000` });
  const crossSite = { origin, 'sec-fetch-site': 'cross-site' };

  test('a preflight request of an allowed origin is answered without a key', async () => {
    const answer = await service.send('/calls/usage', {
      method: 'OPTIONS',
      key: null,
      headers: {
        ...crossSite,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET,HEAD,POST',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '600',
    });
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test.each([
    [200, '/calls/usage', { body }],
    [401, '/calls/usage', { body, key: 'wrong' }],
    [404, '/no/such/path', {}],
    [422, '/calls/usage', { body: {} }],
    [503, '/health', {}],
  ])('an allowed origin can read an answer with status %d', async (status, path, request) => {
    const answer = await service.send(path, { ...request, headers: crossSite });

    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(answer.headers.get('access-control-expose-headers')).toContain('x-request-id');
    expect(answer.headers.get('vary')?.toLowerCase()).toContain('origin');
  });

  test('another origin is refused, and caches are told that the answer depends on the origin', async () => {
    const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const answer = await service.send('/calls/usage', { body, headers });

    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('vary')?.toLowerCase()).toContain('origin');
  });
});

test.each([
  '*',
  'https://a.example/',
  'a.example',
  'https://A.example',
  'https://a:443',
  'null',
  ',',
])('CORS_ORIGINS "%s" prevents the start with an example', (value) => {
  expect(() => parseSettings({ CORS_ORIGINS: value })).toThrow(
    /CORS_ORIGINS contains ".*"; an origin is .* such as https:\/\/dashboard\.example/,
  );
});
