import { expect, test } from 'vitest';

import { noBoundaries } from '../../../src/prices/snapshot/price-level.ts';
import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import type { RollupRow } from '../../../src/usage/query/usage-row.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow } from '../../support/rows/part-rows.ts';
import { rollUpProject } from '../../support/rollups/roll-up.ts';
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

test('usage_rollups has a row for each requested top call and price class, at the call’s position', async () => {
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
  const summary = rows.map((row) => [row.position, row.model, row.calls].join(' '));
  expect(summary.sort()).toEqual(['1  1', '1 m 2', '3  1', '3 m 2']);
});

test('the class of a group is that of its first call and its smallest prompt; its last and largest are returned', async () => {
  const [first] = noBoundaries.price_dates;
  const boundaries = {
    price_dates: [first, startUs + minute, startUs + 3n * minute],
    prompt_sizes: [0n, 9n, 50n],
    // Saturday is the sixth day of the week.
    price_minutes: [0, 5 * 24 * 60 + 12 * 60],
  };
  const rows = await read(['a'], boundaries);
  expect(rows.find(({ model }) => model === 'm')).toMatchObject({
    period_us: String(startUs + minute),
    max_started_us: String(startUs + 3n * minute),
    prompt_size: '9',
    max_prompt_size: '99',
    minute_of_week: 5 * 24 * 60 + 12 * 60,
  });
});
