import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import {
  type FlatSumRow,
  fromFlatSum,
  fromTreeWalk,
  type TreeWalkRow,
  type UsageRow,
} from './usage-row.ts';

/** What usage is requested of calls of one project. */
export interface UsageQuery {
  readonly project_id: string;
  /** Without repeats. */
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
}

/** The rows of a query, and the calls that have no end as far as these rows know. */
interface QueriedRows {
  readonly rows: readonly UsageRow[];
  readonly unfinishedCallIds: readonly string[];
}

export interface QueriedUsage extends QueriedRows {
  /** The requested calls that have a start, deleted ones included. */
  readonly knownCallIds: readonly string[];
}

/**
 * Locates the requested calls, chooses the statement and runs it; rejects as {@link ClickHouse.read} does.
 *
 * usage_tree_walk.sql is right for all calls. Most requests are about whole traces, for which a flat sum finds the same
 * with less work; its rows say whether they are right, and if not, another statement runs.
 */
export async function queryUsage(
  clickhouse: ClickHouse,
  query: UsageQuery,
  signal: AbortSignal,
): Promise<QueriedUsage> {
  const [calls, priceBoundaries] = await Promise.all([
    locateCalls(clickhouse, query, signal),
    readPriceBoundaries(clickhouse, query, signal),
  ]);
  const knownCallIds = calls.map((call) => call.call_id);
  if (calls.length === 0) return { rows: [], unfinishedCallIds: [], knownCallIds };
  const { project_id, include_costs } = query;
  const parameters = {
    ...{ project_id, include_costs, ...priceBoundaries },
    trace_ids: calls.map((call) => call.trace_id),
  };
  let statement = chooseStatement(calls);
  while (statement !== 'usage_tree_walk') {
    const rows = await clickhouse.read<FlatSumRow>(statement, parameters, { signal });
    if (answersWholeTraces(rows, calls.length))
      return { ...fromFlatSumRows(rows, calls), knownCallIds };
    statement = chooseNextStatement(statement, rows);
  }
  const treeParameters = { ...parameters, call_ids: knownCallIds };
  const rows = await clickhouse.read<TreeWalkRow>(statement, treeParameters, { signal });
  return { ...fromTreeWalkRows(rows), knownCallIds };
}

/** A row of locate_calls.sql. */
interface LocatedCall {
  readonly call_id: string;
  readonly trace_id: string;
  readonly is_root: 0 | 1;
  readonly is_rolled_up: 0 | 1;
  /** Of the prices that the project sees, the same in all rows; without costs that of no prices. */
  readonly price_version: string;
}

/** Finds the traces of the requested calls; an unknown call has no row. */
export async function locateCalls(
  clickhouse: ClickHouse,
  { project_id, call_ids, include_costs }: UsageQuery,
  signal: AbortSignal,
): Promise<LocatedCall[]> {
  const parameters = { project_id, call_ids, include_costs };
  return await clickhouse.read<LocatedCall>('locate_calls', parameters, { signal });
}

/** Between two of these, all calls of a model cost the same. */
interface PriceBoundaries {
  /** Microseconds since 1970, ascending; the first is before every call. */
  readonly price_dates: readonly bigint[];
  /** Tokens, ascending; the first is 0. */
  readonly prompt_sizes: readonly bigint[];
}

/** The row of price_boundaries.sql; integers as text. */
interface PriceBoundariesRow {
  readonly dates: readonly string[];
  readonly prompt_sizes: readonly string[];
}

/** Reads when and at which prompt sizes the prices of a project change; a request without costs needs none. */
export async function readPriceBoundaries(
  clickhouse: ClickHouse,
  { project_id, include_costs }: UsageQuery,
  signal: AbortSignal,
): Promise<PriceBoundaries> {
  const [row] = include_costs
    ? await clickhouse.read<PriceBoundariesRow>('price_boundaries', { project_id }, { signal })
    : [];
  return {
    price_dates: [-(2n ** 63n), ...(row?.dates ?? []).map(BigInt)],
    prompt_sizes: [0n, ...(row?.prompt_sizes ?? []).map(BigInt)],
  };
}

/** A statement that is right for whole traces only. */
export type FlatSum = 'usage_flat_sum' | 'usage_flat_sum_rolled_up';

function chooseStatement(calls: readonly LocatedCall[]): FlatSum | 'usage_tree_walk' {
  if (!areRoots(calls)) return 'usage_tree_walk';
  return calls.some((call) => call.is_rolled_up) ? 'usage_flat_sum_rolled_up' : 'usage_flat_sum';
}

/** Whether each call is the only requested one of its trace, and has no parent. */
export function areRoots(calls: readonly LocatedCall[]): boolean {
  const traces = new Set(calls.map((call) => call.trace_id));
  return traces.size === calls.length && calls.every((call) => call.is_root);
}

/** @param rows of the statement that ran, which do not answer */
function chooseNextStatement(
  statement: FlatSum,
  rows: readonly FlatSumRow[],
): FlatSum | 'usage_tree_walk' {
  const isRolledUp = rows.some((row) => row.is_rolled_up);
  return statement === 'usage_flat_sum' && isRolledUp
    ? 'usage_flat_sum_rolled_up'
    : 'usage_tree_walk';
}

/** Whether the rows of a flat sum are right: each trace has one root, and none needs a tree walk. */
export function answersWholeTraces(rows: readonly FlatSumRow[], traces: number): boolean {
  const roots = new Map<string, number>();
  for (const row of rows) {
    if (row.needs_tree_walk || row.is_rolled_up) return false;
    roots.set(row.call_key, (roots.get(row.call_key) ?? 0) + Number(row.roots));
  }
  return roots.size === traces && [...roots.values()].every((count) => count === 1);
}

function fromFlatSumRows(rows: readonly FlatSumRow[], calls: readonly LocatedCall[]): QueriedRows {
  const rootOf = new Map(calls.map((call) => [call.trace_id, call.call_id]));
  return {
    rows: rows.map((row) => fromFlatSum(row, rootOf.get(row.call_key) ?? '')),
    unfinishedCallIds: rows.flatMap((row) => row.unfinished_call_ids),
  };
}

/** Calls without an end include deleted ones: their usage is subtracted from a parent's. */
function fromTreeWalkRows(rows: readonly TreeWalkRow[]): QueriedRows {
  const unfinishedCallIds = rows.flatMap((row) => [
    ...row.unfinished_call_ids,
    ...row.deleted_open_call_ids,
  ]);
  return { rows: rows.map(fromTreeWalk), unfinishedCallIds };
}
