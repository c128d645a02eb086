import { expect } from 'vitest';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { answersWholeTraces } from '../../src/usage/query-usage.ts';
import {
  fromRoots,
  fromTree,
  type RootsRow,
  type TreeRow,
  type UsageRow,
} from '../../src/usage/usage-row.ts';

/** The queries that are right for whole traces only. */
export const flatSumQueries = ['usage_flat_sum', 'usage_flat_sum_rolled_up'] as const;

/** A row of locate_calls.sql. */
interface LocatedCall {
  readonly call_id: string;
  readonly trace_id: string;
  readonly is_root: 0 | 1;
}

interface UsageRequest {
  readonly project_id: string;
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
}

/**
 * Reads the rows of usage_tree_walk.sql. If a flat sum query reports that it is right for the request too, its rows must
 * be the same.
 */
export async function readUsage(
  clickhouse: ClickHouse,
  project_id: string,
  call_ids: readonly string[],
  include_costs: boolean,
): Promise<UsageRow[]> {
  const request = { project_id, call_ids, include_costs };
  const rows = await readTreeWalk(clickhouse, request);
  for (const name of flatSumQueries) {
    const flatSum = await readFlatSum(clickhouse, name, request);
    if (flatSum !== undefined) expect(toComparable(flatSum)).toEqual(toComparable(rows));
  }
  return rows;
}

/** Reads the rows of a flat sum query; undefined if it reports that it is not right for the request. */
export async function readFlatSum(
  clickhouse: ClickHouse,
  name: (typeof flatSumQueries)[number],
  request: UsageRequest,
): Promise<UsageRow[] | undefined> {
  const located = await locateCalls(clickhouse, request);
  const rootByTrace = new Map(located.map((call) => [call.trace_id, call.call_id]));
  const isOneRootPerTrace =
    rootByTrace.size === located.length && located.every((call) => call.is_root);
  if (!isOneRootPerTrace) return undefined;
  const rows = await clickhouse.read<RootsRow>(name, {
    ...(await readCommonParameters(clickhouse, request)),
    trace_ids: [...rootByTrace.keys()],
  });
  if (!answersWholeTraces(rows, rootByTrace.size)) return undefined;
  return rows.map((row) => fromRoots(row, rootByTrace.get(row.call_key) ?? ''));
}

async function readTreeWalk(clickhouse: ClickHouse, request: UsageRequest): Promise<UsageRow[]> {
  const located = await locateCalls(clickhouse, request);
  const rows = await clickhouse.read<TreeRow>('usage_tree_walk', {
    ...(await readCommonParameters(clickhouse, request)),
    call_ids: located.map((call) => call.call_id),
    trace_ids: located.map((call) => call.trace_id),
  });
  return rows.map(fromTree);
}

async function locateCalls(
  clickhouse: ClickHouse,
  { project_id, call_ids }: UsageRequest,
): Promise<LocatedCall[]> {
  return await clickhouse.read<LocatedCall>('locate_calls', { project_id, call_ids });
}

async function readCommonParameters(
  clickhouse: ClickHouse,
  { project_id, include_costs }: UsageRequest,
) {
  const [boundaries] = await clickhouse.read<{ dates: string[]; prompt_sizes: string[] }>(
    'price_boundaries',
    { project_id },
  );
  return {
    project_id,
    include_costs,
    price_dates: [-(2n ** 63n), ...(boundaries?.dates ?? []).map(BigInt)],
    prompt_sizes: [0n, ...(boundaries?.prompt_sizes ?? []).map(BigInt)],
  };
}

/** Equal for equal rows, whichever query they come from: without keys, which differ between queries, and sorted. */
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
