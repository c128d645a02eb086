import { expect, test } from 'vitest';

import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { findUnrolled, rollUpTraces } from '../../support/rollups/roll-up.ts';

const database = clickhouseFixture();

test('finds the traces that have no rollup with the given checksum, rules and project', async () => {
  const rows = ['t1', 't2'].map((trace) => completeRow('p', { id: trace, trace }));
  await database.insert('call_parts', rows);
  const traces = await findUnrolled(database, 'p');
  const trace_ids = traces.map(({ trace_id }) => trace_id);
  expect(trace_ids).toEqual(['t1', 't2']);
  const find = async (more: object = {}): Promise<string[]> => {
    const found = await database.clickhouse.read<{ trace_id: string }>('find_unrolled_traces', {
      ...{ project_id: 'p', trace_ids, rules_version: readRulesVersion() },
      checksums: traces.map(({ checksum }) => checksum),
      ...more,
    });
    return found.map(({ trace_id }) => trace_id);
  };
  expect(await find()).toEqual(['t1', 't2']);
  await rollUpTraces(database, traces.slice(0, 1));
  expect(await find()).toEqual(['t2']);
  expect(await find({ rules_version: '1' })).toEqual(['t1', 't2']);
  expect(await find({ project_id: 'q' })).toEqual(['t1', 't2']);
  expect(await find({ checksums: ['1', '2'] })).toEqual(['t1', 't2']);
});
