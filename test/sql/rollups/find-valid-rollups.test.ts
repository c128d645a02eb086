import { expect, test } from 'vitest';

import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';

const database = clickhouseFixture();

test('finds the traces whose rollup is valid, in pages', async () => {
  const traces = ['changed', 'first', 'second'];
  await database.insert(
    'call_parts',
    traces.map((trace) => completeRow('p', { id: 'root', trace })),
  );
  expect(await rollUpProject(database, 'p')).toBe(0);
  await database.insert('call_parts', [completeRow('p', { id: 'new', trace: 'changed' })]);
  const find = async (after_trace: string, rules_version = readRulesVersion()) =>
    await database.clickhouse.read<object>('find_valid_rollups', {
      ...{ after_project: 'p', after_trace, max_traces: 1, rules_version },
    });
  const found = (trace_id: string): unknown[] => [expect.objectContaining({ trace_id, rows: '1' })];
  expect(await find('')).toEqual(found('first'));
  expect(await find('first')).toEqual(found('second'));
  expect(await find('second')).toEqual([]);
  expect(await find('', '0')).toEqual([]);
});
