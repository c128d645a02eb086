import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';

const database = clickhouseFixture();

test('lists the parts that queries read: one for each insert, and one once they are merged', async () => {
  const list = () => database.clickhouse.read<{ name: string }>('list_parts', {});
  expect(await list()).toEqual([]);
  await database.command('SYSTEM STOP MERGES merged_calls');
  for (const id of ['1', '2']) await database.insert('call_parts', [completeRow('p', { id })]);
  expect(await list()).toHaveLength(2);
  await database.command('SYSTEM START MERGES merged_calls');
  await database.command('OPTIMIZE TABLE merged_calls FINAL');
  expect(await list()).toHaveLength(1);
});
