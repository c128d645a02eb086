import { expect, test } from 'vitest';
import { orphanEndRows } from '../../support/rows/part-rows.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

test('count_orphan_ends counts the orphan ends of the requested calls of the project only', async () => {
  await opened.insert('call_parts', [...orphanEndRows('p/one'), ...orphanEndRows('p/two')]);
  const count = async (project_id: string, call_ids: readonly string[]): Promise<number> => {
    const parameters = { project_id, call_ids };
    const [row] = await opened.clickhouse.read<{ orphan_ends: string }>(
      'count_orphan_ends',
      parameters,
    );
    return Number(row?.orphan_ends);
  };
  expect(await count('p/one', ['started'])).toBe(1);
  expect(await count('p/one', ['whole', 'started', 'unknown', 'missing'])).toBe(2);
  expect(await count('p/one', ['whole', 'missing'])).toBe(0);
  expect(await count('p/none', ['started'])).toBe(0);
});
