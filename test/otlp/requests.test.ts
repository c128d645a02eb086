import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { basicAuthorization, testKey, useService } from '../support/http/service.ts';
import { openUsageClient } from '../support/usage-client.ts';
import {
  encode,
  formats,
  type JsonTraces,
  projectAttributes,
  toAttributes,
  toSpan,
  toTraces,
} from '../support/otlp-traces.ts';
import { type OtlpAnswer, type OtlpRequest, postTraces } from './post-traces.ts';

/** Keys by their scopes and projects; each is its own name. */
const keys = [
  { name: 'one', projects: ['team/one', 'team/other'], rights: ['write', 'read'] },
  { name: 'reader', projects: ['*'], rights: ['read'] },
];

const client = fixture(async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'calls-usage-otlp-')), 'keys.json');
  const hashed = keys.map((key) => ({
    ...key,
    sha256: createHash('sha256').update(key.name).digest('hex'),
  }));
  await writeFile(file, JSON.stringify({ keys: hashed }));
  return await openUsageClient({ API_KEYS_FILE: file });
});

type Format = (typeof formats)[number];

function post(format: Format, traces: JsonTraces, options: OtlpRequest = {}): Promise<OtlpAnswer> {
  return postTraces(client.service, format, encode(format, traces), options);
}

const asOne = { authorization: basicAuthorization('one') };

let prefixes = 0;

/** Ids that no other test has, of which the calls can be found in any project. */
function newSpan() {
  prefixes += 1;
  return toSpan(1_000 * prefixes);
}

async function projectsOf(spanIds: readonly (string | undefined)[]): Promise<string[]> {
  const rows = await client.clickhouse.query<{ project_id: string }>(
    'SELECT project_id FROM call_parts WHERE id IN {ids: Array(String)} ORDER BY id, project_id',
    { ids: spanIds },
  );
  return rows.map(({ project_id }) => project_id);
}

describe.each(formats)('in %s,', (format) => {
  test.each(['/otel/v1/traces', '/agents/otel/v1/traces', '/v1/traces'])(
    '%s stores spans of which the usage is counted',
    async (path) => {
      const project = client.newProject();
      const span = newSpan();
      const answer = await post(format, toTraces([span], project.id), { path });
      expect(answer).toEqual({
        status: 200,
        contentType: format === 'json' ? 'application/json' : 'application/x-protobuf',
        retryAfter: null,
        rejectedSpans: 0,
        message: '',
      });
      const { call_usage } = await project.queryUsage([span.spanId]);
      expect(call_usage[span.spanId]).toMatchObject({
        'gpt-4o': { requests: 1, completion_tokens: 10 },
      });
    },
  );

  test('a resource has the project of its attributes, else of the headers', async () => {
    const spans = [newSpan(), newSpan(), newSpan()];
    const headers = { project_id: 'team/other', 'x-project-id': 'team/neither' };
    const traces = {
      resourceSpans: [
        {
          resource: { attributes: projectAttributes('team/one') },
          scopeSpans: [{ spans: [spans[0]!] }],
        },
        {
          resource: { attributes: toAttributes({ 'wandb.entity': 'team' }) },
          scopeSpans: [{ spans: [spans[1]!] }],
        },
        { scopeSpans: [{ spans: [spans[2]!] }] },
      ],
    };
    expect(await post(format, traces, { ...asOne, headers })).toMatchObject({
      status: 200,
      message: '',
    });
    expect(await projectsOf(spans.map(({ spanId }) => spanId))).toEqual([
      'team/one',
      'team/other',
      'team/other',
    ]);

    const behindProxy = newSpan();
    const proxied = { ...asOne, headers: { 'x-project-id': 'team/one' } };
    expect(await post(format, toTraces([behindProxy]), proxied)).toMatchObject({ status: 200 });
    expect(await projectsOf([behindProxy.spanId])).toEqual(['team/one']);
  });

  test('spans that cannot be stored are rejected and counted, and the others are stored', async () => {
    const [stored, foreign, homeless, invalid] = [newSpan(), newSpan(), newSpan(), newSpan()];
    const traces = {
      resourceSpans: [
        ...toTraces([foreign, { ...foreign, spanId: 'f'.repeat(16) }], 'team/forbidden')
          .resourceSpans,
        ...toTraces([stored, { ...invalid, parentSpanId: 'abcd' }], 'team/one').resourceSpans,
        ...toTraces([homeless]).resourceSpans,
      ],
    };
    const answer = await post(format, traces, asOne);
    expect(answer).toMatchObject({ status: 200, rejectedSpans: 4 });
    expect(answer.message).toContain(
      '2 spans were rejected: this key may not access the project "team/forbidden".',
    );
    expect(answer.message).toContain('1 span was rejected: they have no project');
    expect(answer.message).toContain('parent span id');
    const ids = [stored, foreign, homeless, invalid].map(({ spanId }) => spanId);
    expect(await projectsOf(ids)).toEqual(['team/one']);
  });

  test('where no span is left, the status is 403 for the key, else 400', async () => {
    const [first, second] = [newSpan(), newSpan()];
    const forbidden = toTraces([first], 'team/forbidden');
    expect(await post(format, forbidden, asOne)).toMatchObject({
      status: 403,
      code: 7,
      message: expect.stringContaining('team/forbidden') as string,
    });
    const withoutProject = toTraces([second]);
    expect(await post(format, withoutProject, asOne)).toMatchObject({
      status: 400,
      code: 3,
      message: expect.stringContaining('wandb.entity') as string,
    });
    const both = { resourceSpans: [...forbidden.resourceSpans, ...withoutProject.resourceSpans] };
    expect(await post(format, both, asOne)).toMatchObject({ status: 403 });
    expect(await projectsOf([first.spanId, second.spanId])).toEqual([]);
  });

  test.each([
    ['Basic', { authorization: basicAuthorization('one') }],
    ['Bearer', { authorization: 'Bearer one' }],
    ['wandb-api-key', { authorization: null, headers: { 'wandb-api-key': 'one' } }],
  ])('a key is accepted as %s', async (_, options) => {
    const answer = await post(format, toTraces([newSpan()], 'team/one'), options);
    expect(answer).toMatchObject({ status: 200, rejectedSpans: 0 });
  });

  test('errors of every layer are a google.rpc.Status in the type of the request', async () => {
    const traces = toTraces([newSpan()], 'team/one');
    const contentType = format === 'json' ? 'application/json' : 'application/x-protobuf';
    for (const [options, expected] of [
      [{ authorization: null }, { status: 401, code: 16, message: 'Not authenticated' }],
      [{ authorization: 'Bearer wrong' }, { status: 401, code: 16 }],
      [
        { authorization: null, headers: { 'wandb-api-key': 'wrong' } },
        { status: 401, code: 16 },
      ],
      [{ authorization: basicAuthorization('reader') }, { status: 403, code: 7 }],
      [{ headers: { origin: 'https://elsewhere.example' } }, { status: 403, code: 7 }],
      [{ path: '/v1/logs' }, { status: 404, code: 5, message: 'Not Found' }],
      [{ path: '/otel/v1/traces/' }, { status: 404, code: 5 }],
      [{ headers: { 'content-encoding': 'zstd' } }, { status: 415, code: 3 }],
    ] as [OtlpRequest, object][]) {
      expect(await post(format, traces, options)).toMatchObject({ contentType, ...expected });
    }
  });

  test('the same span again changes nothing, and the order of arrival does not matter', async () => {
    const project = client.newProject();
    const root = newSpan();
    const child = { ...newSpan(), traceId: root.traceId, parentSpanId: root.spanId };
    const plainRoot = { ...root, attributes: [] };
    for (const span of [child, plainRoot, child, plainRoot]) {
      expect(await post(format, toTraces([span], project.id))).toMatchObject({ status: 200 });
    }
    const { call_usage, unfinished_call_ids } = await project.queryUsage([root.spanId]);
    expect(call_usage[root.spanId]?.['gpt-4o']).toMatchObject({ requests: 1 });
    expect(unfinished_call_ids).toEqual([]);
  });
});

test('the resource and the scope may stand behind their spans in JSON', async () => {
  const span = newSpan();
  const { resource, scopeSpans } = toTraces(
    [span],
    'team/one',
    'opentelemetry.instrumentation.bedrock',
  ).resourceSpans[0]!;
  const [{ scope, spans } = { scope: undefined, spans: [] }] = scopeSpans;
  const body = { resourceSpans: [{ scopeSpans: [{ spans, scope }], resource }], unknown: [{}] };
  const answer = await postTraces(client.service, 'json', Buffer.from(JSON.stringify(body)));
  expect(answer).toMatchObject({ status: 200, rejectedSpans: 0 });
  const [row] = await client.clickhouse.query<{ scope: string }>(
    `SELECT project_id, scope = reinterpretAsUInt64(substring(SHA256('opentelemetry.instrumentation.bedrock'), 1, 8)) AS scope
    FROM call_parts WHERE id = {id: String}`,
    { id: span.spanId },
  );
  expect(row).toEqual({ project_id: 'team/one', scope: 1 });
});

test('a body may be compressed with gzip or deflate, and sent in chunks', async () => {
  const spans = [newSpan(), newSpan(), newSpan()];
  const bodies = spans.map((span) => encode('protobuf', toTraces([span], 'team/one')));
  const options = (encoding: string) => ({ headers: { 'content-encoding': encoding } });
  expect(
    await postTraces(client.service, 'protobuf', gzipSync(bodies[0]!), options('gzip')),
  ).toMatchObject({ status: 200 });
  expect(
    await postTraces(client.service, 'protobuf', deflateSync(bodies[1]!), options('deflate')),
  ).toMatchObject({ status: 200 });
  expect(await sendInChunks(`${client.service.url}/v1/traces`, bodies[2]!)).toBe(200);
  expect(await projectsOf(spans.map(({ spanId }) => spanId))).toHaveLength(3);
});

/** Sends each byte as a chunk, without Content-Length. */
async function sendInChunks(url: string, body: Buffer): Promise<number | undefined> {
  const headers = {
    'content-type': 'application/x-protobuf',
    authorization: basicAuthorization(testKey),
  };
  return await new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    }).once('error', reject);
    for (const byte of body) outgoing.write(Buffer.from([byte]));
    outgoing.end();
  });
}

test('an erasure of payloads and a deletion leave the attributes about usage', async () => {
  const project = client.newProject();
  const { id } = project;
  const span = newSpan();
  await post('json', toTraces([span], id));
  expect(await project.deleteCalls(span.spanId)).toBe(1);
  const read = () =>
    client.clickhouse.query<{ span_attributes: string; has_payload: number }>(
      `SELECT span_attributes, has_payload FROM call_parts WHERE project_id = {id: String} AND kind = 'whole'`,
      { id },
    );
  const [row] = await read();
  expect(row!.has_payload).toBe(0);
  expect(JSON.parse(row!.span_attributes)).toMatchObject({ 'gen_ai.response.model': 'gpt-4o' });
});

test('what only a row shows: a failed span, a client that says how usage is rolled up, a service tier', async () => {
  const { id } = client.newProject();
  const tier = toAttributes({
    'openai.response.service_tier': 'flex',
    'weave.usage_rollup': 'rolled_up',
  });
  const span = toSpan(1, {
    status: { code: 2, message: 'failed' },
    attributes: [...toSpan(1).attributes, ...tier],
  });
  for (const format of formats) await post(format, toTraces([span], id));
  const rows = await client.clickhouse.query(
    `SELECT has_exception, exception, usage_mode, is_rolled_up, usage_fields[1].service_tier AS tier,
      otel_dump, inputs_dump FROM call_parts FINAL WHERE project_id = {id: String}`,
    { id },
  );
  expect(rows).toEqual([
    {
      has_exception: 1,
      exception: '',
      usage_mode: 1,
      is_rolled_up: 1,
      tier: 'flex',
      otel_dump: '',
      inputs_dump: '{}',
    },
  ]);
});

describe.each(formats)('exporters send the same again, in %s,', (format) => {
  const body = encode(format, toTraces([toSpan(1)], 'team/one'));

  test('while ClickHouse is away', async () => {
    const service = await useService();
    expect(await postTraces(service, format, body)).toMatchObject({
      status: 503,
      code: 14,
      retryAfter: '2',
    });
  });

  test('when a key has sent too many requests', async () => {
    const service = await useService({ RATE_LIMIT_PER_SECOND: '1' });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => postTraces(service, format, body)),
    );
    expect(answers).toContainEqual(
      expect.objectContaining({ status: 429, code: 8, retryAfter: '1' }),
    );
  });

  test('when the memory budget is used up', async () => {
    const service = await useService({
      MEMORY_BUDGET_MB: '2',
      MEMORY_BUDGET_PER_KEY_MB: '2',
      BODY_LIMIT_MB: '1',
      ITEM_LIMIT_MB: '1',
    });
    // The bodies are held until ClickHouse, which is away, would have answered.
    const large = encode(
      format,
      toTraces(
        Array.from({ length: 2_000 }, (_, index) => toSpan(index)),
        'team/one',
      ),
    );
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => postTraces(service, format, large)),
    );
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 503, code: 14, retryAfter: '2' });
    expect(answers.map(({ message }) => message)).toContainEqual(expect.stringContaining('memory'));
  });
});
