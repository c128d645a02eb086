import type { ClickHouse, ReadOptions } from '../clickhouse/clickhouse.ts';
import { append, runInSlices, type Steps, toSet } from '../slices/run-in-slices.ts';
import { ResultTooLargeError } from '../clickhouse/errors.ts';
import type { Reservation } from '../memory-budget.ts';
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

/** What a query is run with. */
export interface QueryContext {
  readonly signal: AbortSignal;
  /** Has the size of the rows that are held, and of what is made of them. */
  readonly reservation: Reservation;
  /** What they may take at most. */
  readonly maxBytes: number;
}

/**
 * What rows and the roll-up take for each byte of their text, garbage apart: rows of 200,000 traces are 62 MB of text,
 * and the heap grows by 280 MB at most.
 */
const memoryPerByte = 2;

/**
 * Locates the requested calls, chooses the statement and runs it; rejects as {@link ClickHouse.read} does.
 *
 * usage_tree_walk.sql is right for all calls. Most requests are about whole traces, for which a flat sum finds the same
 * with less work; its rows say whether they are right, and if not, another statement runs.
 */
export async function queryUsage(
  clickhouse: ClickHouse,
  query: UsageQuery,
  { signal, reservation, maxBytes }: QueryContext,
): Promise<QueriedUsage> {
  reservation.resize(0);
  const reserve = (bytes: number): void => {
    const total = reservation.bytes + bytes * memoryPerByte;
    if (total > maxBytes) throw new ResultTooLargeError('The rows take too much memory');
    reservation.resize(total);
  };
  const options = { signal, reserve };
  const [calls, priceBoundaries] = await Promise.all([
    locateCalls(clickhouse, query, options),
    readPriceBoundaries(clickhouse, query, options),
  ]);
  const locatedBytes = reservation.bytes;
  const knownCallIds = calls.map((call) => call.call_id);
  if (calls.length === 0) return { rows: [], unfinishedCallIds: [], knownCallIds };
  const { project_id, include_costs } = query;
  const parameters = {
    ...{ project_id, include_costs, ...priceBoundaries },
    trace_ids: calls.map((call) => call.trace_id),
  };
  let statement = await runInSlices(chooseStatement(calls), signal);
  while (statement !== 'usage_tree_walk') {
    const rows = await clickhouse.read<FlatSumRow>(statement, parameters, options);
    if (await runInSlices(answersWholeTraces(rows, calls.length), signal))
      return { ...(await runInSlices(fromFlatSumRows(rows, calls), signal)), knownCallIds };
    statement = chooseNextStatement(statement, rows);
    reservation.resize(locatedBytes);
  }
  const treeParameters = { ...parameters, call_ids: knownCallIds };
  const rows = await clickhouse.read<TreeWalkRow>(statement, treeParameters, options);
  return { ...(await runInSlices(fromTreeWalkRows(rows), signal)), knownCallIds };
}

/** A row of locate_calls.sql. */
interface LocatedCall {
  readonly call_id: string;
  readonly trace_id: string;
  readonly is_root: 0 | 1;
  readonly is_rolled_up: 0 | 1;
}

/** Finds the traces of the requested calls; an unknown call has no row. */
export async function locateCalls(
  clickhouse: ClickHouse,
  { project_id, call_ids }: UsageQuery,
  options: ReadOptions,
): Promise<LocatedCall[]> {
  return await clickhouse.read<LocatedCall>('locate_calls', { project_id, call_ids }, options);
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
  options: ReadOptions,
): Promise<PriceBoundaries> {
  const [row] = include_costs
    ? await clickhouse.read<PriceBoundariesRow>('price_boundaries', { project_id }, options)
    : [];
  return {
    price_dates: [-(2n ** 63n), ...(row?.dates ?? []).map(BigInt)],
    prompt_sizes: [0n, ...(row?.prompt_sizes ?? []).map(BigInt)],
  };
}

/** A statement that is right for whole traces only. */
export type FlatSum = 'usage_flat_sum' | 'usage_flat_sum_rolled_up';

function* chooseStatement(calls: readonly LocatedCall[]): Steps<FlatSum | 'usage_tree_walk'> {
  if (!(yield* areRoots(calls))) return 'usage_tree_walk';
  return calls.some((call) => call.is_rolled_up) ? 'usage_flat_sum_rolled_up' : 'usage_flat_sum';
}

/** Whether each call is the only requested one of its trace, and has no parent. */
export function* areRoots(calls: readonly LocatedCall[]): Steps<boolean> {
  if (!calls.every((call) => call.is_root)) return false;
  const traces = yield* toSet(calls.map((call) => call.trace_id));
  return traces.size === calls.length;
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
export function* answersWholeTraces(rows: readonly FlatSumRow[], traces: number): Steps<boolean> {
  const roots = new Map<string, number>();
  for (const row of rows) {
    if (row.needs_tree_walk || row.is_rolled_up) return false;
    roots.set(row.call_key, (roots.get(row.call_key) ?? 0) + Number(row.roots));
    yield;
  }
  if (roots.size !== traces) return false;
  for (const count of roots.values()) {
    if (count !== 1) return false;
    yield;
  }
  return true;
}

function* fromFlatSumRows(rows: FlatSumRow[], calls: readonly LocatedCall[]): Steps<QueriedRows> {
  const rootOf = new Map<string, string>();
  for (const { trace_id, call_id } of calls) {
    rootOf.set(trace_id, call_id);
    yield;
  }
  return yield* collectRows(rows, (row) => fromFlatSum(row, rootOf.get(row.call_key) ?? ''));
}

/** Calls without an end include deleted ones: their usage is subtracted from a parent's. */
function* fromTreeWalkRows(rows: TreeWalkRow[]): Steps<QueriedRows> {
  const deleted: string[] = [];
  for (const row of rows) {
    yield* append(deleted, row.deleted_open_call_ids);
    yield;
  }
  const collected = yield* collectRows(rows, fromTreeWalk);
  if (deleted.length === 0) return collected;
  const unfinishedCallIds = [...collected.unfinishedCallIds];
  yield* append(unfinishedCallIds, deleted);
  return { ...collected, unfinishedCallIds };
}

/** Each row takes the place of the one it is made of, whose memory is free then. */
function* collectRows<Row>(
  rows: (Row | UsageRow)[],
  toUsageRow: (row: Row) => UsageRow,
): Steps<QueriedRows> {
  const unfinishedCallIds: string[] = [];
  for (const [index, row] of rows.entries()) {
    const usageRow = toUsageRow(row as Row);
    rows[index] = usageRow;
    yield* append(unfinishedCallIds, usageRow.unfinished_call_ids);
    yield;
  }
  return { rows: rows as UsageRow[], unfinishedCallIds };
}
