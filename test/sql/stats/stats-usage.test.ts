import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow } from '../../support/rows/part-rows.ts';
import { statsUsageParameters } from '../../support/rows/stats-parameters.ts';

const database = clickhouseFixture();

interface UsageRow {
  readonly model: string;
  readonly entries: string;
  readonly counters: readonly string[];
  readonly values: readonly (readonly string[])[];
}

test('sums what calls in the window used, without what an SDK added of children outside of it', async () => {
  const sdk = { usage_mode: 1 };
  const used = (prompt_tokens: number) => ({ m: { requests: 1, prompt_tokens } });
  await database.insert('call_parts', [
    completeRow('p/one', { id: 'root', usage: used(60) }, sdk),
    completeRow(
      'p/one',
      { id: 'early', parent: 'root', usage: used(10), startedAt: '2026-01-30 12:00:00.000000' },
      sdk,
    ),
    completeRow('p/one', { id: 'gone', parent: 'root', usage: used(20) }, sdk),
    deletionRow('p/one', { id: 'gone' }),
    completeRow('p/one', { id: 'own', parent: 'root', usage: used(5) }),
    completeRow('p/one', { id: 'other', trace: 'other', usage: used(1_000) }),
  ]);
  const read = (more: object = {}) =>
    database.clickhouse.read<UsageRow>('stats_usage', {
      ...statsUsageParameters('p/one', ['trace']),
      ...more,
    });
  const [row, ...others] = await read({ with_values: true });
  expect(others).toEqual([]);
  // 60 - 10 - 20 of the root, and 5.
  expect(row?.counters.slice(0, 2)).toEqual(['1', '35']);
  expect(row).toMatchObject({ model: 'm', entries: '2' });
  expect(row?.values.map(([, prompt]) => prompt).sort()).toEqual(['30', '5']);
  expect((await read())[0]?.values).toEqual([]);
});
