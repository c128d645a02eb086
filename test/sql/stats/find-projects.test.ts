import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('finds the projects that match a pattern of the request and one of the key, up to a maximum', async () => {
  const ids = ['a/one', 'a/two', 'ab/one', 'b/one'];
  await database.insert(
    'call_parts',
    [...ids, ...ids].map((id, index) => completeRow(id, { id: String(index) })),
  );
  const find = async (more: object) => {
    const parameters = {
      ...{ ids: [], prefixes: [], key_ids: [], key_prefixes: [''] },
      ...{ search: '', after: '', max_projects: 10 },
    };
    const rows = await database.clickhouse.read<{ project_id: string }>('find_projects', {
      ...parameters,
      ...more,
    });
    return rows.map(({ project_id }) => project_id);
  };
  expect(await find({ prefixes: [''] })).toEqual(ids);
  expect(await find({ prefixes: ['a/'] })).toEqual(['a/one', 'a/two']);
  expect(await find({ prefixes: ['a/'], ids: ['b/one', 'c/none'] })).toEqual([
    'a/one',
    'a/two',
    'b/one',
  ]);
  expect(await find({ prefixes: [''], key_prefixes: ['ab/'], key_ids: ['a/one'] })).toEqual([
    'a/one',
    'ab/one',
  ]);
  expect(await find({ prefixes: [''], search: 'B/O' })).toEqual(['ab/one', 'b/one']);
  expect(await find({ prefixes: [''], after: 'a/two' })).toEqual(['ab/one', 'b/one']);
  expect(await find({ prefixes: [''], key_prefixes: [] })).toEqual([]);
  expect(await find({ prefixes: [''], max_projects: 2 })).toEqual(['a/one', 'a/two']);
});
