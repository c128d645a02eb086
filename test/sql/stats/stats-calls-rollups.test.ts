import { expect, test } from 'vitest';
import type { CallStatsRow } from '../../../src/usage/stats/sources/stats-source.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, startRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';
import { statsCallParameters, statsRollupParameters } from '../../support/rows/stats-parameters.ts';

const database = clickhouseFixture();

interface RollupRow extends CallStatsRow {
  readonly live_trace_ids: readonly string[];
}

async function read(more: object = {}): Promise<RollupRow[]> {
  const { price_minutes: _, ...parameters } = statsRollupParameters('p/one');
  const all = { ...parameters, ...more };
  return await database.clickhouse.read<RollupRow>('stats_calls_rollups', all);
}

test('counts what stats_calls counts, each call of several models once', async () => {
  const usage = { m: { requests: 1 }, n: { requests: 1 } };
  await database.insert('call_parts', [
    completeRow('p/one', { id: 'a', usage, startedAt: '2026-01-31 11:59:59.000000' }),
    completeRow('p/one', { id: 'b', parent: 'a', startedAt: '2026-01-31 11:59:58.000000' }),
    // Ends before it starts.
    completeRow('p/one', { id: 'c', trace: 't2', startedAt: '2026-01-31 13:00:00.000000' }),
    startRow('p/one', { id: 'd', trace: 't2', parent: 'c' }, { op_name: 'x' }),
    completeRow('p/one', { id: 'e', trace: 't3' }, { has_exception: 1 }),
    completeRow('p/one', { id: 'f', trace: 't4', startedAt: '2026-01-30 12:00:00.000000' }),
  ]);
  expect((await read())[0]?.live_trace_ids.toSorted()).toEqual(['t2', 't3', 't4', 'trace']);
  expect(await rollUpProject(database, 'p/one')).toBe(0);
  for (const groups of [{}, { group_2: 'op_name' }]) {
    const live = await database.clickhouse.read<CallStatsRow & { live_traces: string }>(
      'stats_calls',
      { ...statsCallParameters('p/one'), ...groups },
    );
    const expected = live.map(({ live_traces: _, ...row }) => ({ ...row, live_trace_ids: [] }));
    expect(new Set(await read(groups))).toEqual(new Set(expected));
    expect(live.reduce((sum, { calls }) => sum + Number(calls), 0)).toBe(5);
  }
});
