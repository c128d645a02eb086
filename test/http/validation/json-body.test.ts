import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type TestRequest } from '../../support/service.ts';
import { serviceFixture } from '../../support/fixtures.ts';

const service = serviceFixture({ BODY_LIMIT_MB: '1' });

const mebibyte = 1_048_576;
const good = JSON.stringify({ obj: { project_id: 'a/b', object_id: 'o', val: 1 } });

function send(body: string | Uint8Array, headers: TestRequest['headers'] = {}) {
  return service.send('/obj/create', { body, headers });
}

/** The one fault of an answer. */
async function faultOf(answer: Awaited<ReturnType<typeof send>>): Promise<unknown> {
  expect(answer.status).toBe(422);
  const { detail } = answer.json() as { detail: unknown[] };
  expect(detail).toHaveLength(1);
  return Promise.resolve(detail[0]);
}

test.each([
  ['gzip', gzipSync(good)],
  ['GZIP', gzipSync(good)],
  ['deflate', deflateSync(good)],
  ['br', brotliCompressSync(good)],
  ['identity', Buffer.from(good)],
])('a body in %s is read', async (encoding, body) => {
  expect((await send(body, { 'content-encoding': encoding })).status).toBe(200);
});

test.each(['application/json', 'Application/JSON; charset=UTF-8', 'application/vnd.x+json'])(
  'the content type %s is JSON',
  async (type) => {
    expect((await send(good, { 'content-type': type })).status).toBe(200);
  },
);

test('a byte order mark before the body is no fault', async () => {
  expect((await send(`\ufeff${good}`)).status).toBe(200);
});

test('an empty body is a missing one', async () => {
  const missing = { loc: ['body'], msg: 'Field required', type: 'missing' };
  expect(await faultOf(await send(''))).toEqual(missing);
  expect(await faultOf(await service.send('/obj/create', { method: 'POST' }))).toEqual(missing);
  expect(await faultOf(await send('null'))).toEqual(missing);
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
])('%s is no JSON, and the answer says where it stops being some', async (body, position) => {
  const issue = { loc: ['body', position], msg: 'JSON decode error', type: 'json_invalid' };
  expect(await faultOf(await send(body))).toEqual(issue);
});

test('bytes that are no UTF-8 are refused, not replaced', async () => {
  const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
  expect(await faultOf(await send(body))).toMatchObject({ loc: ['body'], type: 'json_invalid' });
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'x', 'json'])(
  'the content type %s is refused and the right one named',
  async (type) => {
    const issue = await faultOf(await send(good, { 'content-type': type }));
    expect(issue).toMatchObject({ loc: ['body'], type: 'model_attributes_type' });
    expect(issue).toHaveProperty('msg', expect.stringContaining('application/json'));
  },
);

test.each(['utf-16', 'iso-8859-1', 'windows-1252', 'no-such-charset'])(
  'the charset %s is refused',
  async (charset) => {
    const answer = await send(good, { 'content-type': `application/json; charset=${charset}` });
    expect(answer.status).toBe(415);
    expect(answer.json()).toEqual({ detail: expect.stringContaining('utf-8') as string });
  },
);

test('an unknown content encoding is refused and the known ones named', async () => {
  const answer = await send(good, { 'content-encoding': 'compress' });
  expect(answer.status).toBe(415);
  expect(answer.json()).toEqual({ detail: expect.stringContaining('gzip') as string });
});

test.each(['gzip', 'deflate', 'br'])(
  'a body that is not in its %s is refused',
  async (encoding) => {
    const answer = await send(good, { 'content-encoding': encoding });
    expect(await faultOf(answer)).toMatchObject({ loc: ['body'], type: 'value_error' });
  },
);

test('gzip that ends early is refused', async () => {
  const answer = await send(gzipSync(good).subarray(0, 20), { 'content-encoding': 'gzip' });
  expect(await faultOf(answer)).toMatchObject({ loc: ['body'], type: 'value_error' });
});

test('a body of just the limit is read, one byte more is too large', async () => {
  const filled = (length: number): string => good.padEnd(length, ' ');
  expect((await send(filled(mebibyte))).status).toBe(200);

  const answer = await send(filled(mebibyte + 1));
  expect(answer.status).toBe(413);
  expect(answer.json()).toEqual({ detail: 'The body is larger than the limit.' });
});

test('a gigabyte packed into a megabyte is too large, and is never unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * mebibyte, ' '));
  const before = process.memoryUsage().rss;

  const answers = await Promise.all(
    Array.from({ length: 16 }, () => send(bomb, { 'content-encoding': 'gzip' })),
  );

  expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(413));
  expect(process.memoryUsage().rss - before).toBeLessThan(256 * mebibyte);
});

test('of a key that stands twice in an object the last one counts', async () => {
  const twice = '{"obj":1,"obj":{"project_id":"a/b","object_id":"o","val":1}}';
  expect((await send(twice)).status).toBe(200);
});
