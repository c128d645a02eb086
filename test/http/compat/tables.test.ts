import { expect, test } from 'vitest';
import { serviceFixture } from '../../support/fixtures.ts';
import { validationIssuesOf } from '../../support/http/validation-issues.ts';
import { weaveDigest } from '../../support/http/weave-digest.ts';

const service = serviceFixture();

interface TableDigests {
  readonly digest: string;
  readonly row_digests: readonly string[];
}

async function createTable(rows: readonly unknown[]): Promise<TableDigests> {
  const table = { project_id: 'a/b', rows };
  const answer = await service.send('/table/create', { body: { table } });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as TableDigests;
}

async function queryRows(digest: string, page: object = {}): Promise<object[]> {
  const body = { project_id: 'a/b', digest, ...page };
  const answer = await service.send('/table/query', { body });
  expect(answer.status, answer.text).toBe(200);
  return (answer.json() as { rows: object[] }).rows;
}

function rowsOf(table: TableDigests): object[] {
  return table.row_digests.map((digest, index) => ({ digest, val: null, original_index: index }));
}

test.each([0, 1, 3, 2_500])(
  'the digests of a table with %i rows are unique, and /table/query answers them',
  async (count) => {
    const rows = Array.from({ length: count }, (_, index) => ({ index }));
    const table = await createTable(rows);
    const digests = [table.digest, ...table.row_digests];
    expect(digests).toHaveLength(count + 1);
    expect(new Set(digests).size).toBe(count + 1);
    for (const digest of digests) expect(digest).toMatch(/^[A-Za-z0-9]{43}$/);
    expect(await queryRows(table.digest)).toEqual(rowsOf(table));
  },
);

test('equal rows have equal digests, different rows have different ones', async () => {
  const table = await createTable([{ a: 1, b: 2 }, { a: 3 }]);
  expect(await createTable([{ b: 2, a: 1 }, { a: 3 }])).toEqual(table);
  const other = await createTable([{ a: 3 }, 'any JSON', null]);
  expect(other.digest).not.toBe(table.digest);
  expect(table.row_digests).not.toContain(other.row_digests[0]);
});

test('a table of 400,000 rows, more values than other bodies may have, gets the digest of all of them', async () => {
  const count = 400_000;
  const body = `{"table":{"project_id":"a/b","rows":[${'{"b":1,"a":[]},'.repeat(count - 1)}{}]}}`;
  const answer = await service.send('/table/create', { body });
  expect(answer.status, answer.text.slice(0, 200)).toBe(200);

  const { digest, row_digests } = answer.json() as TableDigests;
  const canonical = `[${'{"a":[],"b":1},'.repeat(count - 1)}{}]`;
  expect(digest.slice(0, 35)).toBe(weaveDigest(canonical).slice(0, 35));
  expect(row_digests).toHaveLength(count);
  expect(new Set(row_digests).size).toBe(count);
});

test('one row more than a million is refused with the limit', async () => {
  const body = `{"table":{"project_id":"a/b","rows":[${'0,'.repeat(1_000_000)}0]}}`;
  const answer = await service.send('/table/create', { body });
  expect(answer.status).toBe(422);
  expect(validationIssuesOf(answer)).toMatchObject([
    {
      loc: ['body', 'table', 'rows'],
      type: 'too_long',
      msg: expect.stringContaining('1000000') as string,
    },
  ]);
});

test.each([
  ['bytes', JSON.stringify('x'.repeat(4 * 1_048_576))],
  ['values', `[${'0,'.repeat(100_000)}0]`],
])('a row with too many %s is refused with 413, which names the row', async (_what, row) => {
  const body = `{"table":{"project_id":"a/b","rows":[1,${row},3]}}`;
  const answer = await service.send('/table/create', { body });
  expect(answer.status).toBe(413);
  expect(answer.json()).toEqual({
    detail: expect.stringContaining('Row 2 of the table') as string,
  });
});

test.each([
  ['{"table":{"project_id":"a/b","rows":[1,2],"rows":[3]}}'],
  ['{"table":{"project_id":"a/b","rows":[1]},"table":{"project_id":"a/b","rows":[3]}}'],
])('of rows that stand twice in a body, the last ones count: %s', async (body) => {
  const answer = await service.send('/table/create', { body });
  expect(answer.json()).toEqual(await createTable([3]));
});

test('rows that are no list, and no rows, are refused', async () => {
  for (const rows of ['', ',"rows":{}', ',"rows":[1],"rows":null']) {
    const answer = await service.send('/table/create', {
      body: `{"table":{"project_id":"a/b"${rows}}}`,
    });
    expect(answer.status, rows).toBe(422);
  }
});

test.each([
  [{ limit: 2 }, 0, 2],
  [{ offset: 3 }, 3, 5],
  [{ limit: 2, offset: 1 }, 1, 3],
  [{ limit: 9, offset: 4 }, 4, 5],
  [{ limit: 0 }, 0, 0],
  [{ offset: 5 }, 5, 5],
  [{ limit: null, offset: null }, 0, 5],
])('/table/query with %j answers the rows from %i to %i', async (page, from, to) => {
  const table = await createTable(Array.from({ length: 5 }, (_, index) => ({ index })));
  expect(await queryRows(table.digest, page)).toEqual(rowsOf(table).slice(from, to));
});

test('/table/query answers no rows for a digest that /table/create did not make', async () => {
  const { digest } = await createTable([{ a: 1 }, { a: 2 }]);
  const modified = `${digest.startsWith('A') ? 'B' : 'A'}${digest.slice(1)}`;
  for (const other of [modified, `${digest}x`, digest.slice(1), 'x', weaveDigest('a file')]) {
    expect(await queryRows(other)).toEqual([]);
  }
});
