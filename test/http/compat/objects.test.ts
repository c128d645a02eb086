import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type TestAnswer } from '../../support/service.ts';
import { serviceFixture } from '../../support/fixtures.ts';

const service = serviceFixture({ BODY_LIMIT_MB: '1' });

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
  ])('a form with %s is refused', async (_what, parts, issues) => {
    expect(faultsOf(await create(parts))).toEqual(issues);
  });

  test('a body that is no form lacks every field', async () => {
    const answer = await service.send('/file/create', { body: { project_id: 'a/b', file: 'x' } });
    expect(faultsOf(answer)).toEqual(['body.project_id missing', 'body.file missing']);
  });

  test.each([
    ['no boundary', 'multipart/form-data', '--x\r\n\r\n--x--'],
    ['another boundary', 'multipart/form-data; boundary=y', '--x\r\n\r\n--x--'],
    ['an end in its middle', 'multipart/form-data; boundary=x', '--x\r\ncontent-disp'],
    [
      'an end in its file',
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\nhel',
    ],
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

describe('/table/create and /table/query', () => {
  interface Tables {
    readonly digest: string;
    readonly row_digests: readonly string[];
  }
  const create = async (rows: readonly unknown[]) => {
    const table = { project_id: 'a/b', rows };
    const answer = await service.send('/table/create', { body: { table } });
    expect(answer.status, answer.text).toBe(200);
    return answer.json() as Tables;
  };
  const query = async (digest: string, more: object = {}) => {
    const body = { project_id: 'a/b', digest, ...more };
    const answer = await service.send('/table/query', { body });
    expect(answer.status, answer.text).toBe(200);
    return (answer.json() as { rows: object[] }).rows;
  };
  const rowsOf = (table: Tables) =>
    table.row_digests.map((digest, index) => ({ digest, val: null, original_index: index }));

  test.each([0, 1, 3, 2_500])(
    'a table of %i rows has so many digests, all different',
    async (count) => {
      const rows = Array.from({ length: count }, (_, index) => ({ index }));
      const table = await create(rows);
      const digests = [table.digest, ...table.row_digests];
      expect(digests).toHaveLength(count + 1);
      expect(new Set(digests).size).toBe(count + 1);
      for (const digest of digests) expect(digest).toMatch(/^[A-Za-z0-9]{43}$/);
      expect(await query(table.digest)).toEqual(rowsOf(table));
    },
  );

  test('the same rows have the same digests, others have others', async () => {
    const table = await create([{ a: 1, b: 2 }, { a: 3 }]);
    expect(await create([{ b: 2, a: 1 }, { a: 3 }])).toEqual(table);
    const other = await create([{ a: 3 }, 'any JSON', null]);
    expect(other.digest).not.toBe(table.digest);
    expect(table.row_digests).not.toContain(other.row_digests[0]);
  });

  test.each([
    [{ limit: 2 }, 0, 2],
    [{ offset: 3 }, 3, 5],
    [{ limit: 2, offset: 1 }, 1, 3],
    [{ limit: 9, offset: 4 }, 4, 5],
    [{ limit: 0 }, 0, 0],
    [{ offset: 5 }, 5, 5],
    [{ limit: null, offset: null }, 0, 5],
  ])('rows of %j are those from %i to %i', async (more, from, to) => {
    const table = await create(Array.from({ length: 5 }, (_, index) => ({ index })));
    expect(await query(table.digest, more)).toEqual(rowsOf(table).slice(from, to));
  });

  test('what is no digest of a table that was created here has no rows', async () => {
    const { digest } = await create([{ a: 1 }, { a: 2 }]);
    const almost = `${digest.startsWith('A') ? 'B' : 'A'}${digest.slice(1)}`;
    for (const other of [almost, `${digest}x`, digest.slice(1), 'x', digestOf('a file')]) {
      expect(await query(other)).toEqual([]);
    }
  });
});

test('feedback is taken as Weave takes it', async () => {
  const payload = { output: { accuracy: 0.5 } };
  const body = { project_id: 'a/b', weave_ref: 'weave:///a/b/call/x', feedback_type: 'x', payload };
  const answer = await service.send('/feedback/create', { body });
  expect(answer.json()).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    wb_user_id: '',
    payload,
  });
});

test.each([
  [
    '/table/create',
    'table.rows',
    (rows: string) => `{"table":{"project_id":"a/b","rows":[${rows}]}}`,
  ],
  [
    '/feedback/create',
    'payload',
    (payload: string) =>
      `{"project_id":"a/b","weave_ref":"x","feedback_type":"x","payload":{"a":${payload}}}`,
  ],
])('%s refuses what is nested too deep in %s', async (path, field, bodyWith) => {
  const lists = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  const refused = await service.send(path, { body: bodyWith(lists(100_000)) });
  expect(faultsOf(refused)).toEqual([`body.${field} recursion_loop`]);
  expect((await service.send(path, { body: bodyWith(lists(499)) })).status).toBe(200);
});

test.each(['a name', null, undefined])(
  'the new name %j of a call is taken',
  async (display_name) => {
    const body = { project_id: 'a/b', call_id: 'x', display_name };
    expect((await service.send('/call/update', { body })).json()).toEqual({});
  },
);
