import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { findUnrolled } from '../../support/rollups/roll-up.ts';

const database = clickhouseFixture();

test('answers the sum of the checksums of each stored trace, before and after merges', async () => {
  const rows = ['t1', 't2'].map((trace) => completeRow('p', { id: trace, trace }));
  await database.insert('call_parts', rows);
  const read = async (): Promise<Map<string, string>> => {
    const found = await database.clickhouse.read<{ trace_id: string; checksum: string }>(
      'trace_checksums',
      { project_id: 'p', trace_ids: ['t1', 't2', 'unknown'] },
    );
    return new Map(found.map(({ trace_id, checksum }) => [trace_id, checksum]));
  };
  const stored = await findUnrolled(database, 'p');
  const first = await read();
  expect(first).toEqual(new Map(stored.map(({ trace_id, checksum }) => [trace_id, checksum])));
  await database.insert('call_parts', [completeRow('p', { id: 'new', trace: 't1' })]);
  const second = await read();
  expect(second.get('t1')).not.toBe(first.get('t1'));
  expect(second.get('t2')).toBe(first.get('t2'));
  await database.command('OPTIMIZE TABLE merged_calls FINAL');
  expect(await read()).toEqual(second);
});
