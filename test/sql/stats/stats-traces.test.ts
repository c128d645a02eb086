import { expect, test } from 'vitest';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, deletionRow, endRow, startRow } from '../../support/rows/part-rows.ts';
import { spanRow } from '../../support/rows/span-rows.ts';
import { statsTraceParameters } from '../../support/rows/stats-parameters.ts';

const database = clickhouseFixture();

interface TraceRow {
  readonly trace_id: string;
  readonly calls: string;
  readonly usage_modes: number;
  readonly unfinished_call_ids: readonly string[];
  readonly all_calls: string;
}

test('finds the traces with a call in the window, with the number of all their calls', async () => {
  const before = '2026-01-30 23:59:59.999999';
  await database.insert('call_parts', [
    completeRow('p/one', { id: 'a', trace: 't1', startedAt: before }),
    startRow('p/one', { id: 'b', trace: 't1', parent: 'a' }, { wb_user_id: 'u' }),
    spanRow('p/one', { id: 'c', trace: 't2' }),
    completeRow('p/one', { id: 'd', trace: 't3', startedAt: before }),
    completeRow('p/one', { id: 'e', trace: 't4' }),
    deletionRow('p/one', { id: 'e', trace: 't4' }),
    endRow('p/one', { id: 'f', trace: 't5' }),
    completeRow('p/two', { id: 'a', trace: 't6' }),
  ]);
  const read = async (more: object = {}) => {
    const parameters = { ...statsTraceParameters('p/one'), ...more };
    const rows = await database.clickhouse.read<TraceRow>('stats_traces', parameters);
    return rows
      .map(({ trace_id, calls, usage_modes, unfinished_call_ids, all_calls }) => [
        ...[trace_id, calls, usage_modes, unfinished_call_ids, all_calls],
      ])
      .sort();
  };
  expect(await read()).toEqual([
    ['t1', '2', 0, ['b'], '3'],
    ['t2', '1', 2, [], '3'],
  ]);
  expect(await read({ wb_user_ids: ['u'] })).toEqual([['t1', '2', 0, ['b'], '2']]);
  // The root is outside of the window, and yet the trace is that of a root without a user.
  const roots = { trace_roots_only: true };
  expect((await read({ ...roots, wb_user_ids: ['u'] })).map(([trace]) => trace)).toEqual([]);
  expect((await read(roots)).map(([trace]) => trace)).toEqual(['t1', 't2']);
  const [tooMany, ...others] = await read({ max_calls: 2 });
  expect(tooMany?.at(-1)).toBe('3');
  expect(others).toEqual([]);
});
