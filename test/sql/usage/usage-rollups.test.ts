import { expect, test } from 'vitest';

import { noBoundaries } from '../../../src/prices/snapshot/price-level.ts';
import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import type { RollupRow } from '../../../src/usage/usage-row.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/part-rows.ts';
import { rollUpProject } from '../../support/roll-up.ts';
import { promptUsage } from '../../support/usage-client.ts';

const database = clickhouseFixture();

const minute = 60_000_000n;
const startUs = BigInt(Date.UTC(2026, 0, 31, 12)) * 1_000n;
const atMinute = (n: number): string => `2026-01-31 12:0${n}:00.000000`;

async function read(call_ids: readonly string[], boundaries: object = {}): Promise<RollupRow[]> {
  return await database.clickhouse.read<RollupRow>('usage_rollups', {
    project_id: 'p',
    call_ids,
    trace_ids: call_ids.map((id) => `trace of ${id}`),
    rules_version: readRulesVersion(),
    ...noBoundaries,
    ...boundaries,
  });
}

test('usage_rollups has a row for each requested top call, at its position, and says where a price begins inside a group', async () => {
  const calls = ['a', 'b'].flatMap((root) => [
    { id: root, trace: `trace of ${root}`, usage: promptUsage(10), startedAt: atMinute(1) },
    { id: `${root}1`, trace: `trace of ${root}`, parent: root, startedAt: atMinute(2) },
    {
      ...{ id: `${root}2`, trace: `trace of ${root}`, parent: root },
      ...{ usage: promptUsage(100), startedAt: atMinute(3) },
    },
  ]);
  await database.insert(
    'call_parts',
    calls.map((call) => completeRow('p', call)),
  );
  expect(await read(['a', 'b'])).toEqual([]);
  expect(await rollUpProject(database, 'p')).toBe(0);
  const rows = await read(['b', 'unknown', 'a', 'b1']);
  const summary = rows.map(({ position, model, calls, is_cut }) =>
    [position, model, calls, is_cut].join(' '),
  );
  expect(summary.sort()).toEqual(['1  1 0', '1 m 2 0', '3  1 0', '3 m 2 0']);

  const cutAt = async (boundaries: object): Promise<number[]> =>
    (await read(['a'], boundaries)).filter(({ model }) => model === 'm').map((row) => row.is_cut);
  const [first] = noBoundaries.price_dates;
  for (const [minutes, isCut] of [
    [1n, 0],
    [2n, 1],
    [3n, 1],
    [4n, 0],
  ] as const) {
    expect(await cutAt({ price_dates: [first, startUs + minutes * minute] })).toEqual([isCut]);
    // Saturday is the sixth day of the week.
    const minuteOfWeek = 5 * 24 * 60 + 12 * 60 + Number(minutes);
    expect(await cutAt({ price_minutes: [0, minuteOfWeek] })).toEqual([isCut]);
  }
  for (const [size, isCut] of [
    [9n, 0],
    [10n, 1],
    [99n, 1],
    [100n, 0],
  ] as const) {
    expect(await cutAt({ prompt_sizes: [0n, size] })).toEqual([isCut]);
  }
});
