import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openService, type TestAnswer, type TestService } from '../support/http.ts';

let service: TestService;
beforeAll(async () => {
  service = await openService({ BODY_LIMIT_MB: '1' });
});
afterAll(() => service.close());

/** As Weave digests: SHA-256 in base64 of 43 letters and digits. */
function digestOf(content: string | Uint8Array): string {
  const base64 = createHash('sha256').update(content).digest('base64');
  return base64.replaceAll('+', 'X').replaceAll('/', 'Y').replaceAll('=', '');
}

function faultsOf(answer: TestAnswer): string[] {
  expect(answer.status).toBe(422);
  const { detail } = answer.json() as { detail: { loc: string[]; type: string }[] };
  return detail.map(({ loc, type }) => `${loc.join('.')} ${type}`);
}

describe('/obj/create', () => {
  const create = async (val: unknown) => {
    const obj = { project_id: 'a/b', object_id: 'op', val };
    const answer = await service.send('/obj/create', { body: { obj } });
    expect(answer.status, answer.text).toBe(200);
    return answer.json() as { digest: string; object_id: string };
  };

  test('answers the digest of the value and the id it came with', async () => {
    const digest = digestOf('{"a":[1,null,"x"],"b":true}');
    expect(await create({ b: true, a: [1, null, 'x'] })).toEqual({ digest, object_id: 'op' });
  });

  test('the order of keys does not matter, that of lists does', async () => {
    const { digest } = await create({ a: 1, b: { c: [1, 2], d: 2 } });
    expect((await create({ b: { d: 2, c: [1, 2] }, a: 1 })).digest).toBe(digest);
    expect((await create({ b: { d: 2, c: [2, 1] }, a: 1 })).digest).not.toBe(digest);
  });

  test.each([null, 0, false, '', [], {}, 'x'])('any JSON has a digest: %j', async (val) => {
    expect((await create(val)).digest).toBe(digestOf(JSON.stringify(val)));
  });
});

describe('/file/create', () => {
  const create = (parts: Record<string, string | Blob>, headers = {}) => {
    const form = new FormData();
    for (const [name, part] of Object.entries(parts)) form.append(name, part);
    return service.send('/file/create', { body: form, headers });
  };
  const file = (content: string | Uint8Array<ArrayBuffer>): Blob => new Blob([content]);

  test.each([
    ['before', { file: file('hello'), project_id: 'a/b' }],
    ['after', { project_id: 'a/b', file: file('hello') }],
  ])('answers the digest of the file that stands %s the project', async (_where, parts) => {
    const answer = await create(parts);
    expect(answer.json()).toEqual({ digest: digestOf('hello') });
  });

  test('any bytes are a file, none too', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251);
    const some = await create({ project_id: 'a/b', file: file(bytes) });
    const none = await create({ project_id: 'a/b', file: file('') });
    expect(some.json()).toEqual({ digest: digestOf(bytes) });
    expect(none.json()).toEqual({ digest: digestOf('') });
  });

  test('fields that nobody asked for are ignored', async () => {
    const answer = await create({ more: 'x', project_id: 'a/b', file: file('hello') });
    expect(answer.status).toBe(200);
  });

  test.each([
    ['no project', { file: file('x') }, ['body.project_id missing']],
    ['no file', { project_id: 'a/b' }, ['body.file missing']],
    ['a text for a file', { project_id: 'a/b', file: 'x' }, ['body.file missing']],
    ['an empty project', { project_id: '', file: file('x') }, ['body.project_id string_too_short']],
    [
      'too long a project',
      { project_id: 'x'.repeat(100_000), file: file('x') },
      ['body.project_id string_too_long'],
    ],
    ['nothing', {}, ['body.project_id missing', 'body.file missing']],
  ])('a form with %s is refused', async (_what, parts, faults) => {
    expect(faultsOf(await create(parts))).toEqual(faults);
  });

  test('a body that is no form lacks every field', async () => {
    const answer = await service.send('/file/create', { body: { project_id: 'a/b', file: 'x' } });
    expect(faultsOf(answer)).toEqual(['body.project_id missing', 'body.file missing']);
  });

  test.each([
    ['no boundary', 'multipart/form-data', '--x\r\n\r\n--x--'],
    ['another boundary', 'multipart/form-data; boundary=y', '--x\r\n\r\n--x--'],
    ['an end in its middle', 'multipart/form-data; boundary=x', '--x\r\ncontent-disp'],
  ])('a form with %s is refused', async (_what, type, body) => {
    const answer = await service.send('/file/create', { body, headers: { 'content-type': type } });
    expect(faultsOf(answer)).toEqual(['body value_error']);
  });

  test('a file of just the limit is read, one byte more is too large', async () => {
    const limit = 1_048_576;
    const atLimit = await create({ project_id: 'a/b', file: file('x'.repeat(limit)) });
    const beyond = await create({ project_id: 'a/b', file: file('x'.repeat(limit + 1)) });
    expect(atLimit.json()).toEqual({ digest: digestOf('x'.repeat(limit)) });
    expect(beyond.status).toBe(413);
  });

  test('a form far beyond the limit is answered all the same', async () => {
    const answer = await create({ project_id: 'a/b', file: file('x'.repeat(20_000_000)) });
    expect(answer.status).toBe(413);
    expect((await service.send('/server_info')).status).toBe(200);
  });

  test('a form that breaks early in many bytes is answered all the same', async () => {
    const body = `--x\r\n${'x'.repeat(900_000)}`;
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const answer = await service.send('/file/create', { body, headers });
    expect(faultsOf(answer)).toEqual(['body value_error']);
  });

  test('a packed form is refused, not digested packed', async () => {
    const headers = {
      'content-type': 'multipart/form-data; boundary=x',
      'content-encoding': 'gzip',
    };
    const answer = await service.send('/file/create', { body: gzipSync('--x--'), headers });
    expect(answer.status).toBe(415);
  });
});
