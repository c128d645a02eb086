import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { PbfWriter } from 'pbf';
import { afterEach, describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import {
  encode,
  encodeTraces,
  formats,
  type JsonSpan,
  toAttributes,
  toSpan,
  toTraces,
} from '../support/otlp-traces.ts';
import { type OtlpAnswer, type OtlpRequest, postTraces } from './post-traces.ts';

const client = usageClientFixture({ BODY_LIMIT_MB: '8', OTLP_MAX_SPANS: '50' });
const projectId = 'team/bad-input';

async function countRows(): Promise<number> {
  const [row] = await client.clickhouse.query<{ rows: number }>(
    'SELECT toUInt32(count()) AS rows FROM call_parts',
  );
  return row!.rows;
}

function post(
  format: (typeof formats)[number],
  body: Buffer,
  request: OtlpRequest = {},
): Promise<OtlpAnswer> {
  return postTraces(client.service, format, body, request);
}

const capture = readFileSync(new URL('captures/pydantic-ai-v1.pb', import.meta.url));
const captureInJson = readFileSync(new URL('captures/pydantic-ai-v1.json', import.meta.url));
const inProject = { headers: { project_id: projectId } };

describe('nothing is stored of, and a message says what is wrong with', () => {
  afterEach(async () => {
    expect(await countRows()).toBe(0);
  });

  test('a protobuf body that is cut off anywhere', async () => {
    const resourceSpans = encodeTraces(toTraces([toSpan(0), toSpan(1)], projectId));
    for (let length = 1; length < resourceSpans.length; length += 1) {
      const answer = await post('protobuf', resourceSpans.subarray(0, length));
      expect(answer, `${length} bytes`).toMatchObject({ status: 400, code: 3 });
      expect(answer.message).toMatch(/protobuf|ExportTraceServiceRequest/);
    }
    for (const part of [0.1, 0.5, 0.9, 0.999]) {
      const answer = await post('protobuf', capture.subarray(0, capture.length * part), inProject);
      expect(answer).toMatchObject({ status: 400, code: 3 });
    }
  });

  test('a protobuf body with a byte that makes it invalid', async () => {
    const body = encodeTraces(toTraces([toSpan(0)], projectId));
    const answer = await post('protobuf', Buffer.concat([body, Buffer.from([0x0f])]));
    expect(answer).toMatchObject({ status: 400, code: 3, contentType: 'application/x-protobuf' });
    expect(await post('protobuf', Buffer.from('not protobuf'))).toMatchObject({ status: 400 });
    expect(await post('protobuf', captureInJson)).toMatchObject({ status: 400 });
  });

  test('JSON that is cut off or malformed, and an empty body', async () => {
    for (const part of [0.1, 0.5, 0.999]) {
      const answer = await post('json', captureInJson.subarray(0, captureInJson.length * part));
      expect(answer).toMatchObject({ status: 400, code: 3, contentType: 'application/json' });
      expect(answer.message).toContain('JSON');
    }
    const answer = await post('json', Buffer.alloc(0));
    expect(answer).toMatchObject({ status: 400, message: expect.stringContaining('{}') as string });
    expect(await post('json', capture)).toMatchObject({ status: 400 });
  });

  test.each([
    ['a list instead of an object', []],
    ['resourceSpans that are no list', { resourceSpans: {} }],
    ['a resource that is no object', { resourceSpans: [{ resource: 1 }] }],
    ['spans that are no list', { resourceSpans: [{ scopeSpans: [{ spans: {} }] }] }],
    ['a span that is no object', spanBody(1)],
    ['attributes that are an object', spanBody({ ...toSpan(0), attributes: { a: 1 } })],
    ['an attribute without a key', spanBody({ ...toSpan(0), attributes: [{ value: {} }] })],
    ['a status whose code is a name', spanBody({ ...toSpan(0), status: { code: 'ERROR' } })],
    ['a time that is no number', spanBody({ ...toSpan(0), startTimeUnixNano: 'now' })],
    ['an id that is no text', spanBody({ ...toSpan(0), traceId: 5 })],
    ['names in snake_case', { resource_spans: [] }],
  ])('JSON with %s', async (_, body) => {
    const answer = await post('json', Buffer.from(JSON.stringify(body)), inProject);
    expect(answer).toMatchObject({ status: 400, code: 3 });
    expect(answer.message).toMatch(/\.$/);
  });

  test('logs and metrics, in both formats', async () => {
    expect(await post('json', Buffer.from('{"resourceLogs":[]}'))).toMatchObject({
      status: 400,
      message: expect.stringContaining('"resourceLogs" instead of "resourceSpans"') as string,
    });
    expect(await post('json', Buffer.from('{"resourceMetrics":[]}'))).toMatchObject({
      status: 400,
    });
    for (const body of [
      toLogs(true),
      toLogs(false),
      toMetrics('requests'),
      toMetrics('16 bytes of name'),
    ]) {
      const answer = await post('protobuf', body, inProject);
      expect(answer).toMatchObject({ status: 400, code: 3 });
      expect(answer.message).toMatch(/logs or metrics|16 bytes/);
    }
  });

  test('other content types and encodings', async () => {
    const body = encodeTraces(toTraces([toSpan(0)], projectId));
    for (const type of ['text/plain', 'application/octet-stream', 'application/grpc', '']) {
      const answer = await post('protobuf', body, { headers: { 'content-type': type } });
      expect(answer).toMatchObject({ status: 415, contentType: 'application/json', code: 3 });
      expect(answer.message).toContain('application/x-protobuf');
    }
    const zstd = { headers: { 'content-encoding': 'zstd' } };
    expect(await post('protobuf', body, zstd)).toMatchObject({
      status: 415,
      contentType: 'application/x-protobuf',
      message: expect.stringContaining('gzip') as string,
    });
    const gzip = { headers: { 'content-encoding': 'gzip' } };
    expect(await post('protobuf', body, gzip)).toMatchObject({ status: 400, code: 3 });
    const cutOff = gzipSync(body).subarray(0, -9);
    expect(await post('protobuf', cutOff, gzip)).toMatchObject({ status: 400, code: 3 });
  });

  describe.each(formats)('in %s,', (format) => {
    test('a body that is larger than the limit, before or after decompression', async () => {
      const text = 'x'.repeat(9 * 1_048_576);
      const body = encode(format, toTraces([withAttribute(text)], projectId));
      const gzip = { headers: { 'content-encoding': 'gzip' } };
      expect(await post(format, body)).toMatchObject({ status: 413, code: 3 });
      expect(await post(format, gzipSync(body), gzip)).toMatchObject({ status: 413, code: 3 });
    });

    test('more spans than allowed', async () => {
      const spans = Array.from({ length: 51 }, (_, index) => toSpan(index));
      const answer = await post(format, encode(format, toTraces(spans, projectId)));
      expect(answer).toMatchObject({ status: 413, message: 'The request has more than 50 spans.' });
    });

    test.each<[string, JsonSpan, RegExp]>([
      ['a trace id of 8 bytes', { traceId: '0123456789abcdef' }, /trace id/],
      ['a trace id of zeros', { traceId: '0'.repeat(32) }, /trace id/],
      ['no span id', { spanId: '' }, /span id/],
      ['a span id of 16 bytes', { spanId: '0123456789abcdef'.repeat(2) }, /span id/],
      ['a parent span id of 4 bytes', { parentSpanId: '01234567' }, /parent span id/],
      ['no start', { startTimeUnixNano: '0' }, /start or end time/],
      ['no end', { endTimeUnixNano: '0' }, /start or end time/],
      ['an end after the year 2299', { endTimeUnixNano: '18446744073709551615' }, /2299/],
      ['a name of 5,000 characters', { name: 'n'.repeat(5_000) }, /name has more than 4096/],
      ['a name of 100,000 characters', { name: 'n'.repeat(100_000) }, /name is longer/],
      ['a model of 5,000 characters', withModel('m'.repeat(5_000)), /model has more than 4096/],
      [
        'a model of a megabyte',
        withModel('m'.repeat(1_048_576)),
        /gen_ai.response.model is longer/,
      ],
      ['30,000 attributes', withManyAttributes(30_000), /more than 25000 attributes/],
    ])('a span with %s', async (_, more, message) => {
      const body = encode(format, toTraces([toSpan(0, more)], projectId));
      expect(await post(format, body)).toMatchObject({
        status: 400,
        code: 3,
        message: expect.stringMatching(message) as string,
      });
    });
  });
});

describe.each(formats)('in %s,', (format) => {
  test('an empty request is a success', async () => {
    const empty = { status: 200, rejectedSpans: 0, message: '' };
    expect(await post(format, encode(format, { resourceSpans: [] }))).toMatchObject(empty);
    expect(await post(format, encode(format, toTraces([])))).toMatchObject(empty);
  });

  test('a span keeps its usage beside 10,000 attributes, a value of 7 MB and one of many levels', async () => {
    const project = client.newProject();
    const deep = Array.from({ length: 100 }).reduce<object>(
      (value) => ({ arrayValue: { values: [value] } }),
      { stringValue: 'deep' },
    );
    const spans = [
      withManyAttributes(10_000),
      withAttribute('x'.repeat(7 * 1_048_576)),
      { attributes: [{ key: 'deep', value: deep as never }, ...toSpan(2).attributes] },
    ].map((more, index) => toSpan(index, more));
    for (const span of spans) {
      expect(await post(format, encode(format, toTraces([span], project.id)))).toMatchObject({
        status: 200,
      });
    }
    const ids = spans.map(({ spanId }) => spanId);
    const { call_usage } = await project.queryUsage(ids);
    expect(ids.map((each) => call_usage[each]?.['gpt-4o']?.requests)).toEqual([1, 1, 1]);
  });
});

test.each([1_000, 100_000])(
  'a span keeps its usage beside a value of %i levels in JSON',
  async (levels) => {
    const project = client.newProject();
    const span = toSpan(levels);
    const [start, end] = ['{"arrayValue":{"values":[', ']}}'].map((text) => text.repeat(levels));
    const deep = `{"key":"deep","value":${start}{"intValue":1}${end}},`;
    const text = JSON.stringify(toTraces([span], project.id));
    const body = text.replace(/("endTimeUnixNano":"\d+","attributes":\[)/, `$1${deep}`);
    expect(body.length).toBeGreaterThan(levels * 20);
    expect(await post('json', Buffer.from(body))).toMatchObject({ status: 200, rejectedSpans: 0 });
    const { call_usage } = await project.queryUsage([span.spanId]);
    expect(call_usage[span.spanId]?.['gpt-4o']).toMatchObject({ requests: 1 });
  },
);

function spanBody(span: unknown): object {
  return { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
}

function withAttribute(text: string): JsonSpan {
  const [first, ...rest] = toSpan(0).attributes;
  const long = toAttributes({ 'gen_ai.input.messages': text });
  return { attributes: [first!, ...long, ...rest] };
}

function withModel(model: string): JsonSpan {
  return { attributes: toAttributes({ 'gen_ai.response.model': model }) };
}

function withManyAttributes(count: number): JsonSpan {
  const many = Object.fromEntries(Array.from({ length: count }, (_, n) => [`a-${n}`, n]));
  return { attributes: [...toAttributes(many), ...toSpan(0).attributes] };
}

/** Nested messages of one field each, around the fields that `write` writes. */
function nest(fields: readonly number[], write: (writer: PbfWriter) => void): Buffer {
  const writer = new PbfWriter();
  write(writer);
  return fields.reduceRight((body, field) => {
    const outer = new PbfWriter();
    outer.writeBytesField(field, body);
    return Buffer.from(outer.finish());
  }, Buffer.from(writer.finish()));
}

/** A log record: with or without its time, whose field number is that of a trace id. */
function toLogs(hasTime: boolean): Buffer {
  return nest([1, 2, 2], (record) => {
    if (hasTime) record.writeFixed64Field(1, 1_795_773_236e9);
    record.writeVarintField(2, 9);
    record.writeStringField(3, 'INFO');
    record.writeFixed64Field(11, 1_795_773_236e9);
  });
}

/** A metric: its name and description have the field numbers of the ids of a span. */
function toMetrics(name: string): Buffer {
  return nest([1, 2, 2], (metric) => {
    metric.writeStringField(1, name);
    metric.writeStringField(2, '8 bytes!');
    metric.writeBytesField(7, Buffer.alloc(0));
  });
}
