import { expect, test } from 'vitest';

import { noBoundaries } from '../../../src/prices/snapshot/price-level.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, startRow } from '../../support/rows/part-rows.ts';
import { findUnrolled, rollUpTraces } from '../../support/rollups/roll-up.ts';
import { rollupParameters } from '../../support/rows/trace-parameters.ts';

const database = clickhouseFixture();

test('reads a rollup by its checksum, also when its trace has changed since', async () => {
  const usage = { m: { requests: 1, prompt_tokens: 10 } };
  await database.insert('call_parts', [completeRow('p', { id: 'root', usage })]);
  const first = await findUnrolled(database, 'p');
  await rollUpTraces(database, first);
  await database.insert('call_parts', [startRow('p', { id: 'child', parent: 'root' })]);
  const second = await findUnrolled(database, 'p');
  await rollUpTraces(database, second);
  const { start_us: _, end_us: __, ...shared } = rollupParameters('p');
  const read = (checksums: readonly string[]) =>
    database.clickhouse.read<{ calls: string; sums: unknown[] }>('settled_traces', {
      ...{ ...shared, ...noBoundaries, trace_ids: ['trace'], checksums },
    });
  const checksums = (traces: readonly { checksum: string }[]) =>
    traces.map(({ checksum }) => checksum);
  expect(await read(checksums(first))).toMatchObject([{ trace_id: 'trace', calls: '1' }]);
  const [row] = await read(checksums(second));
  expect(row).toMatchObject({ calls: '2', unfinished_calls: '1' });
  expect(row?.sums).toMatchObject([{ model: 'm', prompt_size: '0', service_tier: '' }]);
  expect(await read(['1'])).toEqual([]);
});
