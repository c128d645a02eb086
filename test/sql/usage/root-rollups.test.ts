import { expect, test } from 'vitest';

import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';
import { completeRow, startRow } from '../../support/rows/part-rows.ts';
import { findUnrolled, rollUpProject } from '../../support/rollups/roll-up.ts';
import { promptUsage } from '../../support/usage-client.ts';

const database = clickhouseFixture();

interface Found {
  readonly call_id: string;
  readonly trace_id: string;
  readonly checksum: string;
  readonly root_usage: string;
}

async function find(project_id: string, more: object = {}): Promise<Found[]> {
  const call_ids = ['root', 'child', 'one', 'two', 'orphan', ''];
  const parameters = { project_id, call_ids, rules_version: readRulesVersion(), ...more };
  return await database.clickhouse.read<Found>('root_rollups', parameters);
}

test('finds the rollups of traces whose only top call is requested and has no parent', async () => {
  await database.insert('call_parts', [
    completeRow('p', { id: 'root', trace: 'tree', usage: promptUsage(1) }),
    completeRow('p', { id: 'child', trace: 'tree', parent: 'root', usage: promptUsage(2) }),
    completeRow('p', { id: 'one', trace: 'several' }),
    completeRow('p', { id: 'two', trace: 'several' }),
    completeRow('p', { id: 'orphan', trace: 'orphaned', parent: 'missing' }),
  ]);
  const traces = await findUnrolled(database, 'p');
  const stored = traces.find(({ trace_id }) => trace_id === 'tree');
  expect(await find('p')).toEqual([]);
  await rollUpProject(database, 'p');
  const found = await find('p');
  expect(found).toMatchObject([{ call_id: 'root', trace_id: 'tree', checksum: stored?.checksum }]);
  expect(await find('p', { call_ids: ['child'] })).toEqual([]);
  expect(await find('p', { rules_version: '1' })).toEqual([]);
  expect(await find('q')).toEqual([]);
});

test('their text has the calls, the open ones, and what was used', async () => {
  await database.insert('call_parts', [
    completeRow('open', { id: 'root', usage: promptUsage(2 ** 53 - 1) }),
    completeRow('open', { id: 'a', parent: 'root', usage: promptUsage(2 ** 53 - 1) }),
    startRow('open', { id: 'b', parent: 'root' }),
  ]);
  await rollUpProject(database, 'open');
  const [found] = await find('open');
  const usage = JSON.parse(found?.root_usage ?? '') as {
    readonly sums: readonly { readonly counters: readonly string[] }[];
  };
  expect(usage).toMatchObject({ calls: '3', unfinished_call_ids: ['b'], sums: [{}] });
  // More than a number of JSON holds.
  expect(usage.sums[0]?.counters[1]).toBe(String(2n * (2n ** 53n - 1n)));
});
