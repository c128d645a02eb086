import { expect } from 'vitest';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { runInSlices } from '../../src/slices/run-in-slices.ts';
import {
  answersWholeTraces,
  areRoots,
  type FlatSum,
  locateCalls,
  readPriceBoundaries,
  type UsageQuery,
} from '../../src/usage/query-usage.ts';
import {
  type FlatSumRow,
  fromFlatSum,
  fromTreeWalk,
  type TreeWalkRow,
  type UsageRow,
} from '../../src/usage/usage-row.ts';

/** The queries that are right for whole traces only. */
export const flatSumQueries = ['usage_flat_sum', 'usage_flat_sum_rolled_up'] as const;

const options = {};

/** The rows of usage_tree_walk.sql. */
async function readTreeWalk(clickhouse: ClickHouse, query: UsageQuery): Promise<UsageRow[]> {
  const calls = await locateCalls(clickhouse, query, options);
  const rows = await clickhouse.read<TreeWalkRow>('usage_tree_walk', {
    ...(await readCommonParameters(clickhouse, query)),
    call_ids: calls.map((call) => call.call_id),
    trace_ids: calls.map((call) => call.trace_id),
  });
  return rows.map(fromTreeWalk);
}

/** The rows of a flat sum; undefined if the calls are not roots, or if its rows need another statement. */
export async function readFlatSum(
  clickhouse: ClickHouse,
  name: FlatSum,
  query: UsageQuery,
): Promise<UsageRow[] | undefined> {
  const calls = await locateCalls(clickhouse, query, options);
  if (!(await runInSlices(areRoots(calls)))) return undefined;
  const rootOf = new Map(calls.map((call) => [call.trace_id, call.call_id]));
  const rows = await clickhouse.read<FlatSumRow>(name, {
    ...(await readCommonParameters(clickhouse, query)),
    trace_ids: [...rootOf.keys()],
  });
  if (!(await runInSlices(answersWholeTraces(rows, rootOf.size)))) return undefined;
  return rows.map((row) => fromFlatSum(row, rootOf.get(row.call_key) ?? ''));
}

async function readCommonParameters(clickhouse: ClickHouse, query: UsageQuery) {
  const { project_id, include_costs } = query;
  const boundaries = await readPriceBoundaries(clickhouse, query, options);
  return { project_id, include_costs, ...boundaries };
}

/** The rows of usage_tree_walk.sql. A flat sum that answers too must have the same ones. */
export async function readUsage(
  clickhouse: ClickHouse,
  project_id: string,
  call_ids: readonly string[],
  include_costs: boolean,
): Promise<UsageRow[]> {
  const query = { project_id, call_ids, include_costs };
  const rows = await readTreeWalk(clickhouse, query);
  for (const name of flatSumQueries) {
    const flatRows = await readFlatSum(clickhouse, name, query);
    if (flatRows !== undefined) expect(toComparable(flatRows)).toEqual(toComparable(rows));
  }
  return rows;
}

/** The same rows in the same order whichever statement they are from; its keys differ. */
function toComparable(rows: readonly UsageRow[]): object[] {
  const idOf = new Map(rows.map((row) => [row.call_key, row.call_id]));
  return rows
    .map(({ ancestor_key, is_present: _, ...row }) => ({
      ...row,
      call_key: '',
      ancestor: idOf.get(ancestor_key) ?? '',
      unfinished_call_ids: row.unfinished_call_ids.toSorted(),
    }))
    .map((row) => ({ row, text: JSON.stringify(row, Object.keys(row).sort()) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ row }) => row);
}
