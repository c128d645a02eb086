import { expect, test } from 'vitest';

import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, startRow } from '../../support/rows/part-rows.ts';
import { findUnrolled, rollUpProject, rollUpTraces } from '../../support/rollups/roll-up.ts';
import { listTracesParameters } from '../../support/rows/trace-parameters.ts';

const database = clickhouseFixture();

interface Listed {
  readonly traces: string;
  readonly total_tokens: string;
  readonly cost: string;
  readonly unpriced_models: readonly string[];
  readonly unknown_classes: string;
  readonly live_traces: string;
  readonly live_trace_ids: readonly string[];
  readonly page: readonly (readonly [number, string, string, string])[];
}

async function list(project: string, more: object = {}): Promise<Listed> {
  const parameters = { ...listTracesParameters(project), ...more };
  const rows = await database.clickhouse.read<Listed>('list_traces', parameters);
  expect(rows).toHaveLength(1);
  return (rows as [Listed])[0];
}

const used = (prompt_tokens: number, more: object = {}) => ({
  m: { requests: 1, prompt_tokens, ...more },
});
const at = (minute: string): string => `2026-01-31 12:${minute}:00.000000`;
const firstUs = BigInt(Date.parse('2026-01-31T12:00:00Z')) * 1_000n;

/** The class of all calls where no price begins anywhere. */
const oneClass = {
  class_models: ['m'],
  class_service_tiers: [''],
  class_periods: [-(2n ** 63n)],
  class_prompt_sizes: [0n],
  class_minutes: [0n],
};

test('each trace is on one side: with a valid rollup, or live', async () => {
  const rows = ['t1', 't2', 't3'].map((trace, index) =>
    completeRow('p/sides', { id: trace, trace, usage: used(10 ** index) }),
  );
  await database.insert('call_parts', rows);
  const unrolled = await findUnrolled(database, 'p/sides');
  await rollUpTraces(database, unrolled.slice(0, 2));
  await database.insert('call_parts', [startRow('p/sides', { id: 'late', trace: 't2' })]);
  const listed = await list('p/sides');
  expect(listed.page.map(([, , trace]) => trace)).toEqual(['t1']);
  expect([...listed.live_trace_ids].sort()).toEqual(['t2', 't3']);
  expect(listed).toMatchObject({ traces: '1', total_tokens: '1', live_traces: '2' });
  expect((await list('p/sides', { max_live: 1 })).live_trace_ids).toHaveLength(1);
  expect(await list('p/sides', { rules_version: '1' })).toMatchObject({ live_traces: '3' });
});

test('the window has the traces whose root starts at its start, and not those that start at its end', async () => {
  const rows = ['00', '05', '10'].map((minute) =>
    completeRow('p/window', { id: minute, trace: minute, startedAt: at(minute) }),
  );
  await database.insert('call_parts', rows);
  expect(await rollUpProject(database, 'p/window')).toBe(0);
  const minutes = async (start: bigint, end: bigint) => {
    const [start_us, end_us] = [start, end].map((minute) => firstUs + minute * 60_000_000n);
    const { page } = await list('p/window', { start_us, end_us });
    return page.map(([, , trace]) => trace);
  };
  expect(await minutes(0n, 10n)).toEqual(['00', '05']);
  expect(await minutes(5n, 11n)).toEqual(['05', '10']);
});

test('a trace is live if a date or a prompt size of prices is inside one of its sums', async () => {
  const calls = [
    { id: 'root', usage: used(10), startedAt: at('00') },
    { id: 'child', parent: 'root', usage: used(20), startedAt: at('05') },
  ];
  await database.insert(
    'call_parts',
    calls.map((call) => completeRow('p/cut', call)),
  );
  expect(await rollUpProject(database, 'p/cut')).toBe(0);
  const isLive = async (more: object) => (await list('p/cut', more)).live_traces === '1';
  const minute = 60_000_000n;
  const dates = (us: bigint) => ({ price_dates: [-(2n ** 63n), us] });
  expect(await isLive(dates(firstUs))).toBe(false);
  expect(await isLive(dates(firstUs + 1n))).toBe(true);
  expect(await isLive(dates(firstUs + 5n * minute))).toBe(true);
  expect(await isLive(dates(firstUs + 5n * minute + 1n))).toBe(false);
  const sizes = (size: bigint) => ({ prompt_sizes: [0n, size] });
  expect(await isLive(sizes(9n))).toBe(false);
  expect(await isLive(sizes(10n))).toBe(true);
  expect(await isLive(sizes(19n))).toBe(true);
  expect(await isLive(sizes(20n))).toBe(false);
});

test('multiplies each class of tokens by its price, which fit no integer of 64 bits', async () => {
  const details = { audio_tokens: 3, cached_tokens: 50 };
  const usage = used(1_000, {
    ...{ completion_tokens: 400, prompt_tokens_details: details },
    completion_tokens_details: { audio_tokens: 40 },
    cache_creation_input_tokens: 200,
    cache_creation: { ephemeral_1h_input_tokens: 60, ephemeral_5m_input_tokens: 140 },
  });
  await database.insert('call_parts', [completeRow('p/costs', { id: 'a', usage })]);
  expect(await rollUpProject(database, 'p/costs')).toBe(0);
  // Prompt, cache_read, cache_write, cache_write_1h, audio in, completion, audio out.
  const unit = 10n ** 27n;
  const prices = [1n, 10n, 100n, 1_000n, 10_000n, 100_000n, 1_000_000n].map((n) => n * unit);
  const priced = { ...oneClass, class_prices: [prices.join()] };
  const tokens = [747n, 50n, 140n, 60n, 3n, 360n, 40n];
  const cost = prices.reduce((sum, price, index) => sum + price * (tokens[index] ?? 0n), 0n);
  const expected = { cost: String(cost), unknown_classes: '0', unpriced_models: [] };
  expect(await list('p/costs', priced)).toMatchObject(expected);
  const unpriced = { cost: '0', unknown_classes: '0', unpriced_models: ['m'] };
  expect(await list('p/costs', { ...oneClass, class_prices: [''] })).toMatchObject(unpriced);
  expect(await list('p/costs')).toMatchObject({ unknown_classes: '1' });
});
