import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, orphanEndRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('has_orphan_ends says whether a project has ends without a trace', async () => {
  const has = async (project_id: string): Promise<boolean> =>
    (await database.clickhouse.read('has_orphan_ends', { project_id })).length > 0;
  await database.insert('call_parts', [
    completeRow('p/none', { id: 'a' }),
    ...['b', 'c'].map((id) => orphanEndRow('p/two', { id })),
  ]);
  expect(await has('p/none')).toBe(false);
  expect(await has('p/two')).toBe(true);
});
