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

test('has id and display name of a root without a parent, as its parts have them, and no others', async () => {
  const named = (id: string, more: object, display_name: string) =>
    startRow('names', { id, trace: id, ...more }, { display_name });
  await database.insert('call_parts', [
    // Of two names of a call, lists of calls have the greater one.
    ...[named('root', {}, 'first name'), named('root', {}, 'last name')],
    startRow(
      'names',
      { id: 'child', trace: 'root', parent: 'root' },
      { display_name: 'of a child' },
    ),
    named('unnamed', {}, ''),
    // What is not known of all parts of the root, settled_traces.sql does not say.
    ...[named('both', {}, 'without parent'), named('both', { parent: 'missing' }, 'with parent')],
    ...[named('two', {}, 'one top'), startRow('names', { id: 'other', trace: 'two' })],
  ]);
  const traces = await findUnrolled(database, 'names');
  await rollUpTraces(database, traces);
  const { start_us: _, end_us: __, ...shared } = rollupParameters('names');
  const rows = await database.clickhouse.read<Record<'trace_id' | 'id' | 'display_name', string>>(
    'settled_traces',
    {
      ...{ ...shared, ...noBoundaries },
      trace_ids: traces.map(({ trace_id }) => trace_id),
      checksums: traces.map(({ checksum }) => checksum),
    },
  );
  const names = rows.map(({ trace_id, id, display_name }) => [trace_id, [id, display_name]]);
  expect(Object.fromEntries(names)).toMatchObject({
    root: ['root', 'last name'],
    unnamed: ['unnamed', ''],
    both: ['', expect.any(String)],
    two: ['', ''],
  });
});

test('the root of a trace with several top calls is the one that started first', async () => {
  const traces = Array.from({ length: 8 }, (_, index) => `trace-${index}`);
  const rows = traces.flatMap((trace) =>
    ['second', 'first'].map((op_name, index) =>
      startRow(
        'tops',
        { id: `${op_name}-${trace}`, trace, startedAt: `2026-01-31 12:00:0${9 - index}.000000` },
        { op_name },
      ),
    ),
  );
  await database.insert('call_parts', rows);
  const found = await findUnrolled(database, 'tops');
  await rollUpTraces(database, found);
  const { start_us: _, end_us: __, ...shared } = rollupParameters('tops');
  const read = await database.clickhouse.read<{ trace_id: string; op_name: string }>(
    'settled_traces',
    {
      ...{ ...shared, ...noBoundaries },
      trace_ids: found.map(({ trace_id }) => trace_id),
      checksums: found.map(({ checksum }) => checksum),
    },
  );
  const names = read.map(({ trace_id, op_name }) => [trace_id, op_name]).sort();
  expect(names).toEqual(traces.map((trace) => [trace, 'first']));
});
