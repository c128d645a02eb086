import { expect, test } from 'vitest';

import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { findUnrolled, rollUpTraces } from '../../support/rollups/roll-up.ts';

const database = clickhouseFixture();

test('reads the rollups of traces with the requested checksums', async () => {
  await database.insert(
    'call_parts',
    ['one', 'two'].map((trace) => completeRow('p', { id: 'root', trace })),
  );
  const traces = await findUnrolled(database, 'p');
  await rollUpTraces(database, traces, ['roll_up_flat_traces']);
  const rows = await database.clickhouse.read<object>('read_rollups', {
    project_id: 'p',
    trace_ids: ['one', 'two'],
    checksums: ['1', traces.find(({ trace_id }) => trace_id === 'two')!.checksum],
    rules_version: readRulesVersion(),
  });
  expect(rows).toMatchObject([{ trace_id: 'two', root_id: 'root', calls: '1' }]);
});
