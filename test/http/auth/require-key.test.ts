import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixture } from '../../support/fixtures.ts';
import { openService, testKey } from '../../support/http/service.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const keysFile = {
  keys: [
    { name: 'dashboard', sha256: sha256('reads'), projects: ['team/*'], rights: ['read'] },
    { name: 'pipeline', sha256: sha256('writes'), projects: ['team/one'], rights: ['write'] },
    { name: 'finance', sha256: sha256('prices'), projects: ['*'], rights: ['prices'] },
  ],
};

const service = fixture(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'calls-usage-keys-'));
  const file = join(directory, 'keys.json');
  await writeFile(file, JSON.stringify(keysFile));
  const opened = await openService({
    API_KEYS: ` ${testKey} ,second:with:colons`,
    API_KEYS_FILE: file,
  });
  await rm(directory, { recursive: true });
  return opened;
});

describe('authentication', () => {
  test.each([
    ['no credentials', {}],
    ['a wrong key', { authorization: `Basic ${btoa('api:wrong')}` }],
    ['an empty key', { authorization: `Basic ${btoa('api:')}` }],
    ['an API key as user name', { authorization: `Basic ${btoa(`${testKey}:`)}` }],
    ['an incomplete key', { authorization: `Basic ${btoa(`api:${testKey.slice(0, -1)}`)}` }],
    [
      'the whole value of API_KEYS',
      { authorization: `Basic ${btoa(`api:${testKey},second:with:colons`)}` },
    ],
    ['the digest of a key', { authorization: `Basic ${btoa(`api:${sha256('reads')}`)}` }],
    ['a wrong bearer token', { authorization: 'Bearer wrong' }],
    ['an empty bearer token', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Digest ${testKey}` }],
    ['invalid base64', { authorization: 'Basic %%%' }],
  ])('%s is answered with 401 and a challenge', async (_what, headers) => {
    const answer = await service.send('/server_info', { key: null, headers });

    expect(answer.status).toBe(401);
    expect(answer.json()).toEqual({ detail: 'Not authenticated' });
    expect(answer.headers.get('www-authenticate')).toBe('Basic realm="calls-usage"');
  });

  test.each([testKey, 'second:with:colons', 'reads', 'writes', 'prices'])(
    'the key %s is accepted with any user name',
    async (key) => {
      for (const user of ['api', '', 'anyone']) {
        const headers = { authorization: `Basic ${btoa(`${user}:${key}`)}` };
        const answer = await service.send('/server_info', { key: null, headers });
        expect(answer.status).toBe(200);
      }
    },
  );

  test.each([
    ['Bearer', testKey, 200],
    ['bearer', 'second:with:colons', 200],
    ['Bearer', 'reads', 200],
    ['Bearer', 'dashboard', 401],
  ])('the authorization "%s %s" is answered with %d', async (scheme, token, status) => {
    const headers = { authorization: `${scheme} ${token}` };
    expect((await service.send('/server_info', { key: null, headers })).status).toBe(status);
  });

  test.each(['/openapi.json', '/docs', '/docs/swagger-ui.css', '/calls/usage', '/no/such/path'])(
    '%s answers 401 without a key, whether it exists or not',
    async (path) => {
      expect((await service.send(path, { key: null })).status).toBe(401);
    },
  );

  test('/health needs no key', async () => {
    expect((await service.send('/health', { key: null })).status).toBe(503);
  });

  test('a request without a key is refused before its body is read', async () => {
    const answer = await service.send('/calls/usage', { key: null, body: 'x'.repeat(100_000) });
    expect(answer.status).toBe(401);
  });
});

const time = '2026-01-01T00:00:00Z';
const startIn = (project_id: string) => ({
  start: { project_id, op_name: 'op', started_at: time, attributes: {}, inputs: {} },
});
const endIn = (project_id: string) => ({
  end: { project_id, id: 'x', ended_at: time, summary: {} },
});
const completeIn = (project_id: string) => ({
  ...startIn(project_id).start,
  ...endIn(project_id).end,
  trace_id: 't',
});
const price = { prompt_token_cost: 0.001, completion_token_cost: 0.001 };

/** Scope and path of each endpoint that accesses a project, with a valid body for a project. */
const endpoints: [string, string, (project: string) => unknown][] = [
  ['read', '/calls/usage', (project_id) => ({ project_id, call_ids: ['x'] })],
  ['write', '/call/start', startIn],
  ['write', '/call/end', endIn],
  [
    'write',
    '/call/upsert_batch',
    (project) => ({
      batch: [
        { mode: 'start', req: startIn('team/one') },
        { mode: 'end', req: endIn(project) },
      ],
    }),
  ],
  ['write', '/v2/PROJECT/call/start', startIn],
  ['write', '/v2/PROJECT/call/end', endIn],
  ['write', '/v2/PROJECT/calls/complete', (project) => ({ batch: [completeIn(project)] })],
  ['write', '/calls/delete', (project_id) => ({ project_id, call_ids: ['x'] })],
  ['write', '/obj/create', (project_id) => ({ obj: { project_id, object_id: 'o', val: {} } })],
  ['write', '/file/create', formIn],
  ['write', '/table/create', (project_id) => ({ table: { project_id, rows: [] } })],
  ['write', '/table/query', (project_id) => ({ project_id, digest: 'x' })],
  [
    'write',
    '/feedback/create',
    (project_id) => ({ project_id, weave_ref: 'x', feedback_type: 'x', payload: {} }),
  ],
  ['write', '/call/update', (project_id) => ({ project_id, call_id: 'x' })],
  ['prices', '/cost/create', (project_id) => ({ project_id, costs: { m: price } })],
];

function formIn(project_id: string): FormData {
  const form = new FormData();
  form.set('file', new Blob(['content']));
  form.set('project_id', project_id);
  return form;
}

const keyOfScope: Readonly<Record<string, string>> = {
  read: 'reads',
  write: 'writes',
  prices: 'prices',
};

describe.each(endpoints)('the scope %s of %s', (scope, path, bodyFor) => {
  const send = (key: string, project: string) =>
    service.send(path.replace('PROJECT', project), { key, body: bodyFor(project) });

  test('a key with the scope and a pattern of the project is accepted', async () => {
    const { status } = await send(keyOfScope[scope] ?? '', 'team/one');
    expect([200, 503]).toContain(status);
  });

  test.each(Object.values(keyOfScope).filter((key) => key !== keyOfScope[scope]))(
    'the key "%s" without the scope gets 403',
    async (key) => {
      const answer = await send(key, 'team/one');
      expect(answer.status).toBe(403);
      expect(answer.json()).toEqual({ detail: `This key does not have the scope "${scope}".` });
    },
  );

  // The key with the scope prices has the pattern of every project.
  const otherProjects =
    scope === 'prices' ? [] : ['other/one', 'team2/one', 'team', 'TEAM/one', '*'];
  test.each(otherProjects)(
    'a key gets 403 for the project "%s", which matches none of its patterns',
    async (project) => {
      const answer = await send(keyOfScope[scope] ?? '', project);
      if (path.startsWith('/v2/') && !project.includes('/')) {
        expect(answer.status).toBe(404);
        return;
      }
      expect(answer.status).toBe(403);
      const { detail } = answer.json() as { detail: string };
      expect(detail).toBe(`This key may not access the project "${project}".`);
    },
  );
});

test('a pattern of one project does not match other projects of its entity', async () => {
  expect(
    (await service.send('/call/start', { key: 'writes', body: startIn('team/two') })).status,
  ).toBe(403);
});

test('a pattern of an entity matches all its projects', async () => {
  const body = { project_id: 'team/any', call_ids: [] };
  expect((await service.send('/calls/usage', { key: 'reads', body })).status).not.toBe(403);
});
