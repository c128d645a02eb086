import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { serviceFixture } from '../../support/fixtures.ts';
import type { TestAnswer } from '../../support/http/service.ts';
import { continueAnswer, toRequestHead, useTcpClient } from '../../support/http/tcp-client.ts';
import { issueTypesOf } from '../../support/http/validation-issues.ts';
import { weaveDigest } from '../../support/http/weave-digest.ts';

const service = serviceFixture({ BODY_LIMIT_MB: '1' });

function createFile(parts: Readonly<Record<string, string | Blob>>): Promise<TestAnswer> {
  const form = new FormData();
  for (const [name, part] of Object.entries(parts)) form.append(name, part);
  return service.send('/file/create', { body: form });
}

function fileOf(content: string | Uint8Array<ArrayBuffer>): Blob {
  return new Blob([content]);
}

test.each([
  ['first', { file: fileOf('hello'), project_id: 'a/b' }],
  ['last', { project_id: 'a/b', file: fileOf('hello') }],
])(
  '/file/create answers the digest of a file that is the %s part of the form',
  async (_position, parts) => {
    const answer = await createFile(parts);
    expect(answer.json()).toEqual({ digest: weaveDigest('hello') });
  },
);

test('/files/create answers the same', async () => {
  const form = new FormData();
  form.set('project_id', 'a/b');
  form.set('file', new Blob(['x = 1']));
  const answers = ['/file/create', '/files/create'].map((path) =>
    service.send(path, { body: form }),
  );
  const [file, files] = await Promise.all(answers);
  expect([files?.status, files?.text]).toEqual([200, file?.text]);
});

test('/file/create answers the digest of binary and of empty files', async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251);
  const binary = await createFile({ project_id: 'a/b', file: fileOf(bytes) });
  const empty = await createFile({ project_id: 'a/b', file: fileOf('') });
  expect(binary.json()).toEqual({ digest: weaveDigest(bytes) });
  expect(empty.json()).toEqual({ digest: weaveDigest('') });
});

test('unknown fields of a form are ignored', async () => {
  const answer = await createFile({ more: 'x', project_id: 'a/b', file: fileOf('hello') });
  expect(answer.status).toBe(200);
});

test.each([
  ['no project', { file: fileOf('x') }, ['body.project_id missing']],
  ['no file', { project_id: 'a/b' }, ['body.file missing']],
  ['a text field instead of the file', { project_id: 'a/b', file: 'x' }, ['body.file missing']],
  ['an empty project', { project_id: '', file: fileOf('x') }, ['body.project_id string_too_short']],
  [
    'a project that is too long',
    { project_id: 'x'.repeat(4_000), file: fileOf('x') },
    ['body.project_id string_too_long'],
  ],
  ['no fields', {}, ['body.project_id missing', 'body.file missing']],
])('a form with %s is refused', async (_what, parts, issues) => {
  expect(issueTypesOf(await createFile(parts))).toEqual(issues);
});

test('a body that is not a form is refused as a form without fields', async () => {
  const answer = await service.send('/file/create', { body: { project_id: 'a/b', file: 'x' } });
  expect(issueTypesOf(answer)).toEqual(['body.project_id missing', 'body.file missing']);
});

test.each([
  ['no boundary', 'multipart/form-data', '--x\r\n\r\n--x--'],
  ['a wrong boundary', 'multipart/form-data; boundary=y', '--x\r\n\r\n--x--'],
  ['a truncated header', 'multipart/form-data; boundary=x', '--x\r\ncontent-disp'],
  [
    'a truncated file',
    'multipart/form-data; boundary=x',
    '--x\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\nhel',
  ],
])('a malformed form, with %s, is refused', async (_what, type, body) => {
  const answer = await service.send('/file/create', { body, headers: { 'content-type': type } });
  expect(issueTypesOf(answer)).toEqual(['body value_error']);
});

test('a file as large as the limit is read, one byte more is refused with 413', async () => {
  const limit = 1_048_576;
  const atLimit = await createFile({ project_id: 'a/b', file: fileOf('x'.repeat(limit)) });
  const aboveLimit = await createFile({ project_id: 'a/b', file: fileOf('x'.repeat(limit + 1)) });
  expect(atLimit.json()).toEqual({ digest: weaveDigest('x'.repeat(limit)) });
  expect(aboveLimit.status).toBe(413);
});

test('a client that sends a form far beyond the limit gets 413, not a connection reset', async () => {
  const answer = await createFile({ project_id: 'a/b', file: fileOf('x'.repeat(20_000_000)) });
  expect(answer.status).toBe(413);
  expect((await service.send('/server_info')).status).toBe(200);
});

test('a form with more fields than the limit is refused with 413', async () => {
  const fields = Array.from({ length: 5 }, (_, index) => [`field${index}`, 'x'] as const);
  const answer = await createFile({ ...Object.fromEntries(fields), file: fileOf('hello') });
  expect(answer.status).toBe(413);
});

test('a field larger than the limit is refused with 413', async () => {
  const answer = await createFile({ project_id: 'x'.repeat(5_000), file: fileOf('hello') });
  expect(answer.status).toBe(413);
});

test('a client that disconnects while it sends a file is logged with status 499, not as an error', async () => {
  const { socket, received } = await useTcpClient(service.url);
  socket.write(toRequestHead('/file/create', 10_000, 'multipart/form-data; boundary=x'));
  await expect.poll(received).toBe(continueAnswer);
  const before = service.logLines().length;
  socket.write('--x\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\nhel');
  socket.resetAndDestroy();

  const lines = () => service.logLines().slice(before);
  await expect.poll(lines).toMatchObject([{ route: '/file/create', status: 499, level: 30 }]);
  expect(lines()[0]).not.toHaveProperty('error');
});

test('a client that sends many bytes after a malformed part gets 422, not a connection reset', async () => {
  const body = `--x\r\n${'x'.repeat(900_000)}`;
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const answer = await service.send('/file/create', { body, headers });
  expect(issueTypesOf(answer)).toEqual(['body value_error']);
});

test('a compressed form is refused with 415', async () => {
  const headers = {
    'content-type': 'multipart/form-data; boundary=x',
    'content-encoding': 'gzip',
  };
  const answer = await service.send('/file/create', { body: gzipSync('--x--'), headers });
  expect(answer.status).toBe(415);
});
