import { describe, expect, test } from 'vitest';
import type { CallStatsRow, UsageStatsRow } from '../../../src/usage/stats/sources/stats-source.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, type Row, startRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';
import { spanRow } from '../../support/rows/span-rows.ts';
import { statsCallParameters, statsRollupParameters } from '../../support/rows/stats-parameters.ts';

const database = clickhouseFixture();

interface RollupRow extends UsageStatsRow, CallStatsRow {
  readonly live_trace_ids: readonly string[];
}

const atMinute = (n: number): string => `2026-01-31 12:0${n}:00.000000`;
const toUs = (minute: number): bigint => BigInt(Date.UTC(2026, 0, 31, 12, minute)) * 1_000n;
const used = (prompt_tokens: number) => ({ m: { requests: 1, prompt_tokens } });

/** Two calls of one group in `trace`, at minutes 1 and 3. */
function twoCalls(project: string): Row[] {
  return [
    completeRow(project, { id: 'root', usage: used(10), startedAt: atMinute(1) }),
    completeRow(project, { id: 'a', parent: 'root', usage: used(100), startedAt: atMinute(3) }),
  ];
}

async function insert(rows: readonly Row[]): Promise<void> {
  await database.insert('call_parts', rows);
}

async function read(project: string, more: object = {}) {
  const parameters = { ...statsRollupParameters(project), ...more };
  const rows = await database.clickhouse.read<RollupRow>('stats_rollups', parameters);
  return {
    sums: rows
      .filter(({ entries }) => entries !== '0')
      .map(({ model, entries, counters }) => `${entries} ${model} ${counters[1]}`),
    live: rows.flatMap(({ live_trace_ids }) => live_trace_ids).sort(),
  };
}

test('adds the groups of all valid rollups, and names the traces without one', async () => {
  const project = 'p/valid';
  await insert([
    ...twoCalls(project),
    completeRow(project, { id: 'b', trace: 'second', usage: used(1_000) }),
    completeRow(project, { id: 'c', trace: 'changed', usage: used(7) }),
  ]);
  expect(await read(project)).toEqual({ sums: [], live: ['changed', 'second', 'trace'] });
  expect(await read(project, { max_live_traces: 2 })).toMatchObject({
    live: { length: 2 },
  });
  expect(await rollUpProject(database, project)).toBe(0);
  await insert([completeRow(project, { id: 'd', trace: 'changed', parent: 'c', usage: used(7) })]);
  const changed = { live: ['changed'] };
  expect(await read(project)).toEqual({ sums: ['3 m 1110'], ...changed });
  // Two services may have stored the same rollup.
  await database.command(`SYSTEM STOP MERGES trace_rollups`);
  await database.command(`INSERT INTO trace_rollups SELECT * FROM trace_rollups`);
  expect(await read(project)).toEqual({ sums: ['3 m 1110'], ...changed });
  const traces = { has_trace_ids: true, trace_ids: ['second', 'none'] };
  expect(await read(project, traces)).toEqual({ sums: ['1 m 1000'], live: [] });
  const others = { rules_version: '1' };
  expect(await read(project, others)).toMatchObject({ live: ['changed', 'second', 'trace'] });
});

describe('a trace is live if a boundary is inside a group, and not if it is beside it', () => {
  const { bucket_starts, prompt_sizes, price_dates } = statsRollupParameters('');
  const none = { start_us: toUs(0), end_us: toUs(9) };
  test.each<[string, (minute: number) => object]>([
    ['the start of the window', (minute) => ({ ...none, start_us: toUs(minute) })],
    ['the end of the window', (minute) => ({ ...none, end_us: toUs(minute) })],
    ['the start of a bucket', (minute) => ({ bucket_starts: [...bucket_starts, toUs(minute)] })],
    ['a price', (minute) => ({ price_dates: [...price_dates, toUs(minute)] })],
  ])('%s', async (name, at) => {
    const project = `p/${name}`;
    // A group that no boundary cuts.
    const later = { id: 'b', parent: 'root', startedAt: '2026-01-31 12:20:00.000000' };
    await insert([...twoCalls(project), completeRow(project, { ...later, usage: used(1_000) })]);
    await rollUpProject(database, project);
    // The calls are at 1 and 3; each of these begins at its time.
    for (const minute of [2, 3]) {
      expect(await read(project, at(minute))).toEqual({ sums: [], live: ['trace'] });
    }
    for (const minute of [1, 4]) expect((await read(project, at(minute))).live).toEqual([]);
  });

  test('a size of prompts', async () => {
    const project = 'p/size';
    await insert(twoCalls(project));
    await rollUpProject(database, project);
    const at = async (size: bigint) =>
      await read(project, { prompt_sizes: [...prompt_sizes, size] });
    // Prompts of 10 and of 100 tokens; a price holds above its size.
    for (const size of [10n, 99n]) expect((await at(size)).live).toEqual(['trace']);
    for (const size of [9n, 100n]) expect((await at(size)).live).toEqual([]);
  });

  test('but not if the filter does not select the group', async () => {
    const project = 'p/not selected';
    await insert(twoCalls(project));
    await rollUpProject(database, project);
    const edge = { end_us: toUs(2) };
    expect(await read(project, { ...edge, op_names: ['x'] })).toEqual({
      sums: [],
      live: [],
    });
  });
});

test('the filter selects groups by their names', async () => {
  const project = 'p/names';
  const names = { op_name: 'op:v1', wb_user_id: 'u', thread_id: 't' };
  await insert([
    completeRow(project, { id: 'a', usage: used(1) }, names),
    completeRow(project, { id: 'b', usage: used(10) }, { ...names, op_name: 'op:v2' }),
    completeRow(project, { id: 'c', usage: used(100) }, { ...names, wb_user_id: '' }),
    completeRow(project, { id: 'd', usage: used(1_000) }, { ...names, thread_id: '' }),
  ]);
  await rollUpProject(database, project);
  const sum = async (more: object) => (await read(project, more)).sums;
  expect(await sum({ op_names: ['op:v1', 'x'] })).toEqual(['3 m 1101']);
  expect(await sum({ op_name_prefixes: ['op:'] })).toEqual(['4 m 1111']);
  expect(await sum({ wb_user_ids: ['u'] })).toEqual(['3 m 1011']);
  expect(await sum({ thread_ids: ['t'], op_names: ['op:v2'] })).toEqual(['1 m 10']);
});

test('a call whose start is missing does not count', async () => {
  const project = 'p/no start';
  const { started_at: _, ...end } = completeRow(project, { id: 'end', usage: used(1) });
  await insert([...twoCalls(project), { ...end, kind: 'end' }]);
  await rollUpProject(database, project);
  const withoutIt = 'p/no end';
  await insert(twoCalls(withoutIt));
  await rollUpProject(database, withoutIt);
  const answer = await read(project);
  expect(answer).toEqual(await read(withoutIt));
  expect(answer).toMatchObject({ live: [] });
});

test('spans of one response, and twins, below two top calls are live, since one of them counts in the trace', async () => {
  const project = 'p/top';
  const response = { response: 'r', tokens: 10 };
  const twins = { parent: 'missing', tokens: 20, trace: 'twins' };
  await insert([
    spanRow(project, { id: 'one', trace: 'response', parent: 'missing', ...response }),
    spanRow(project, { id: 'two', trace: 'response', parent: 'gone', ...response }),
    spanRow(project, { id: 'outer', scope: 1, ...twins }),
    spanRow(project, { id: 'inner', scope: 2, ...twins, time: [1, 9] }),
    spanRow(project, { id: 'root', trace: 'one root', kind: 'other' }),
    spanRow(project, { id: 'three', trace: 'one root', parent: 'root', ...response }),
    spanRow(project, { id: 'four', trace: 'one root', parent: 'root', ...response }),
  ]);
  await rollUpProject(database, project);
  expect(await read(project)).toEqual({
    sums: ['1 m 10'],
    ...{ live: ['response', 'twins'] },
  });
});

test('counts what stats_calls counts, each call of several models once', async () => {
  const project = 'p/calls';
  const usage = { m: { requests: 1 }, n: { requests: 1 } };
  await insert([
    completeRow(project, { id: 'a', usage, startedAt: '2026-01-31 11:59:59.000000' }),
    completeRow(project, { id: 'b', parent: 'a', startedAt: '2026-01-31 11:59:58.000000' }),
    // Ends before it starts.
    completeRow(project, { id: 'c', trace: 't2', startedAt: '2026-01-31 13:00:00.000000' }),
    startRow(project, { id: 'd', trace: 't2', parent: 'c' }, { op_name: 'x' }),
    completeRow(project, { id: 'e', trace: 't3' }, { has_exception: 1 }),
    completeRow(project, { id: 'f', trace: 't4', startedAt: '2026-01-30 12:00:00.000000' }),
  ]);
  expect(await rollUpProject(database, project)).toBe(0);
  for (const groups of [{}, { group_2: 'op_name' }]) {
    const parameters = { ...statsRollupParameters(project), ...groups };
    const settled = await database.clickhouse.read<RollupRow>('stats_rollups', parameters);
    const live = await database.clickhouse.read<CallStatsRow>('stats_calls', {
      ...{ ...statsCallParameters(project), ...groups },
    });
    expect(toCallSums(settled)).toEqual(toCallSums(live));
    expect(toCallSums(live).get('all')?.[0]).toBe(5);
  }
});

/** Calls, errors, finished calls and latency by bucket and group, and of all. */
function toCallSums(rows: readonly CallStatsRow[]): Map<string, number[]> {
  const sums = new Map<string, number[]>();
  for (const { bucket_us, value_1, value_2, ...row } of rows) {
    const counts = [row.calls, row.errors, row.finished_calls, row.latency_us].map(Number);
    for (const group of [[bucket_us, value_1, value_2].join(), 'all']) {
      sums.set(
        group,
        counts.map((count, index) => count + (sums.get(group)?.[index] ?? 0)),
      );
    }
  }
  return sums;
}
