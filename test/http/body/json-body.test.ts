import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { serviceFixture } from '../../support/fixtures.ts';
import type { TestAnswer, TestRequest } from '../../support/http/service.ts';
import { validationIssuesOf } from '../../support/http/validation-issues.ts';

const service = serviceFixture({ BODY_LIMIT_MB: '1' });

const mebibyte = 1_048_576;
const validBody = JSON.stringify({ obj: { project_id: 'a/b', object_id: 'o', val: 1 } });

function send(body: string | Uint8Array, headers: TestRequest['headers'] = {}) {
  return service.send('/obj/create', { body, headers });
}

/** The only validation issue of an answer. */
function onlyIssueOf(answer: TestAnswer): unknown {
  const issues = validationIssuesOf(answer);
  expect(issues).toHaveLength(1);
  return issues[0];
}

test.each([
  ['gzip', gzipSync(validBody)],
  ['GZIP', gzipSync(validBody)],
  ['deflate', deflateSync(validBody)],
  ['br', brotliCompressSync(validBody)],
  ['identity', Buffer.from(validBody)],
])('a body with content encoding %s is read', async (encoding, body) => {
  expect((await send(body, { 'content-encoding': encoding })).status).toBe(200);
});

test.each([
  'application/json',
  'Application/JSON; charset=UTF-8',
  'application/json;charset = "utf8"',
  'application/vnd.x+json',
])('a body with content type %s is read', async (type) => {
  expect((await send(validBody, { 'content-type': type })).status).toBe(200);
});

test.each([
  ['another charset', 'application/json; charset=utf-16'],
  ['two charsets', 'application/json; charset=utf-8; charset=latin1'],
  ['half a quotation', 'application/json; charset="utf-8'],
  ['15,000 spaces in its charset', `application/json; charset=${' '.repeat(15_000)}a"b"c`],
])('a body with %s is refused at once', async (_what, type) => {
  const answer = await send(validBody, { 'content-type': type });
  expect(answer.status).toBe(415);
  expect(answer.json()).toEqual({ detail: 'Only the charset utf-8 is supported.' });
});

test('a byte order mark before the body is ignored', async () => {
  expect((await send(`\ufeff${validBody}`)).status).toBe(200);
});

test('an empty body and null are reported as a missing body', async () => {
  const missing = { loc: ['body'], msg: 'Field required', type: 'missing' };
  expect(onlyIssueOf(await send(''))).toEqual(missing);
  expect(onlyIssueOf(await service.send('/obj/create', { method: 'POST' }))).toEqual(missing);
  expect(onlyIssueOf(await send('null'))).toEqual(missing);
});

test.each([
  ['abc', 0],
  ['{"a":}', 5],
  ['{"a":1,}', 7],
  ["{'a':1}", 1],
  ['[1 2]', 3],
  ['[01]', 2],
  ['{"a":"x\ny"}', 7],
  ['{"a":NaN}', 5],
  ['{"a": 1} // why', 9],
  ['{', 1],
  ['"abc', 4],
  [`{"long":"${'x'.repeat(5_000)}","a":nil}`, 5_015],
  ['['.repeat(100_000), 100_000],
])('%s is refused with the position of the syntax error', async (body, position) => {
  const issue = { loc: ['body', position], msg: 'JSON decode error', type: 'json_invalid' };
  expect(onlyIssueOf(await send(body))).toEqual(issue);
});

test('a body that is not UTF-8 is refused', async () => {
  const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
  expect(onlyIssueOf(await send(body))).toMatchObject({ loc: ['body'], type: 'json_invalid' });
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'x', 'json'])(
  'the content type %s is refused with the accepted one',
  async (type) => {
    const issue = onlyIssueOf(await send(validBody, { 'content-type': type }));
    expect(issue).toMatchObject({ loc: ['body'], type: 'model_attributes_type' });
    expect(issue).toHaveProperty('msg', expect.stringContaining('application/json'));
  },
);

test.each(['utf-16', 'iso-8859-1', 'windows-1252', 'no-such-charset'])(
  'the charset %s is refused',
  async (charset) => {
    const answer = await send(validBody, {
      'content-type': `application/json; charset=${charset}`,
    });
    expect(answer.status).toBe(415);
    expect(answer.json()).toEqual({ detail: expect.stringContaining('utf-8') as string });
  },
);

test('an unknown content encoding is refused with the accepted ones', async () => {
  const answer = await send(validBody, { 'content-encoding': 'compress' });
  expect(answer.status).toBe(415);
  expect(answer.json()).toEqual({ detail: expect.stringContaining('gzip') as string });
});

test.each(['gzip', 'deflate', 'br'])('a body that is not valid %s is refused', async (encoding) => {
  const answer = await send(validBody, { 'content-encoding': encoding });
  expect(onlyIssueOf(answer)).toMatchObject({ loc: ['body'], type: 'value_error' });
});

test('truncated gzip is refused', async () => {
  const answer = await send(gzipSync(validBody).subarray(0, 20), { 'content-encoding': 'gzip' });
  expect(onlyIssueOf(answer)).toMatchObject({ loc: ['body'], type: 'value_error' });
});

test('a body as large as the limit is read, one byte more is refused with 413', async () => {
  const padded = (length: number): string => validBody.padEnd(length, ' ');
  expect((await send(padded(mebibyte))).status).toBe(200);

  const answer = await send(padded(mebibyte + 1));
  expect(answer.status).toBe(413);
  expect(answer.json()).toEqual({ detail: 'The body is larger than the limit.' });
});

test('a compressed body beyond the limit is refused with 413 and never decompressed whole', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * mebibyte, ' '));
  const rssBefore = process.memoryUsage().rss;

  const answers = await Promise.all(
    Array.from({ length: 16 }, () => send(bomb, { 'content-encoding': 'gzip' })),
  );

  expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(413));
  expect(process.memoryUsage().rss - rssBefore).toBeLessThan(256 * mebibyte);
});

test('the last value of a repeated key is used', async () => {
  const repeatedKey = '{"obj":1,"obj":{"project_id":"a/b","object_id":"o","val":1}}';
  expect((await send(repeatedKey)).status).toBe(200);
});
