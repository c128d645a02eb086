import { expect, test } from 'vitest';
import type { CallStatsRow } from '../../../src/usage/stats/sources/stats-source.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, startRow } from '../../support/rows/part-rows.ts';
import { statsCallParameters } from '../../support/rows/stats-parameters.ts';

const database = clickhouseFixture();

test('counts calls, errors and latencies of calls that have ended after their start', async () => {
  await database.insert('call_parts', [
    completeRow('p/one', { id: 'a', startedAt: '2026-01-31 11:59:59.000000' }, { op_name: 'x' }),
    completeRow(
      'p/one',
      { id: 'b', startedAt: '2026-01-31 11:59:58.000000' },
      { has_exception: 1 },
    ),
    // Ends before it starts.
    completeRow('p/one', { id: 'c', trace: 't2', startedAt: '2026-01-31 13:00:00.000000' }),
    startRow('p/one', { id: 'd', trace: 't2', parent: 'c' }),
  ]);
  const read = (more: object) =>
    database.clickhouse.read<CallStatsRow>('stats_calls', {
      ...statsCallParameters('p/one'),
      ...more,
    });
  const [bucket_us] = statsCallParameters('').bucket_starts.map(String);
  const [all, ...others] = await read({ with_latencies: true });
  expect(others).toEqual([]);
  expect(all).toMatchObject({
    ...{ bucket_us, value_1: '', value_2: '', calls: '4', errors: '1', finished_calls: '2' },
    ...{ latency_us: '3000000', live_traces: '2' },
  });
  expect([...(all?.latencies_us ?? [])].sort()).toEqual(['1000000', '2000000']);
  expect(await read({ trace_roots_only: true })).toMatchObject([{ calls: '3', latencies_us: [] }]);
  const grouped = await read({ group_1: 'wb_user_id', group_2: 'op_name' });
  expect(new Set(grouped)).toEqual(
    new Set([
      expect.objectContaining({ value_1: '', value_2: 'x', calls: '1', live_traces: '2' }),
      expect.objectContaining({ value_1: '', value_2: '', calls: '3', live_traces: '2' }),
    ]),
  );
});
