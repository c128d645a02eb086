import type { ClickHouse, ReadOptions } from '../clickhouse/clickhouse.ts';
import { append, runInSlices, type Steps, toSet } from '../slices/run-in-slices.ts';
import { ResultTooLargeError } from '../clickhouse/errors.ts';
import type { Reservation } from '../memory-budget.ts';
import { noBoundaries } from '../prices/snapshot/price-level.ts';
import type { PriceSnapshot } from '../prices/snapshot/price-snapshot.ts';
import type { PriceSnapshots } from '../prices/snapshot/price-snapshots.ts';
import { needsRules } from './usage-counters.ts';
import {
  type FlatSumRow,
  fromFlatSum,
  fromStoredSum,
  fromTreeWalk,
  type RequestedPrices,
  type StoredSumRow,
  type TreeWalkRow,
  type UsageRow,
} from './usage-row.ts';

/** What usage is requested of calls of one project. */
export interface UsageQuery {
  readonly project_id: string;
  /** Without repeats. */
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
  /** Whether rows say what was subtracted as double counted. */
  readonly is_explained: boolean;
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
  { clickhouse, prices: snapshots }: UsageSources,
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
  const calls = await locateCalls(clickhouse, query, options);
  const locatedBytes = reservation.bytes;
  const knownCallIds = calls.map((call) => call.call_id);
  if (calls.length === 0) return { rows: [], unfinishedCallIds: [], knownCallIds };
  const prices = await readPrices(snapshots, query, calls, signal);
  const toParametersOf = (name: UsageStatement) => toParameters(name, query, calls, prices);
  let statement = await runInSlices(chooseStatement(query, calls), signal);
  while (statement !== 'usage_tree_walk') {
    const parameters = toParametersOf(statement);
    const rows = await clickhouse.read<FlatSumRow>(statement, parameters, options);
    const steps = chooseNextStatement(statement, query, rows, calls.length);
    const next = await runInSlices(steps, signal);
    if (next === null) {
      const toRows = fromFlatSumRows(statement, rows, calls, prices);
      return { ...(await runInSlices(toRows, signal)), knownCallIds };
    }
    statement = next;
    reservation.resize(locatedBytes);
  }
  const rows = await clickhouse.read<TreeWalkRow>(statement, toParametersOf(statement), options);
  return { ...(await runInSlices(fromTreeWalkRows(rows, prices), signal)), knownCallIds };
}

/** What usage is read from. */
export interface UsageSources {
  readonly clickhouse: ClickHouse;
  readonly prices: Pick<PriceSnapshots, 'of'>;
}

/** @returns the prices of now, or newer ones; null for a request without costs */
export async function readPrices(
  snapshots: Pick<PriceSnapshots, 'of'>,
  { project_id, include_costs }: UsageQuery,
  calls: readonly LocatedCall[],
  signal: AbortSignal,
): Promise<PriceSnapshot | null> {
  const [located] = calls;
  if (!include_costs || located === undefined) return null;
  return await snapshots.of(project_id, located.price_version, signal);
}

/** The parameters of a statement for the located calls. */
export function toParameters(
  statement: UsageStatement,
  { project_id, is_explained }: UsageQuery,
  calls: readonly LocatedCall[],
  prices: PriceSnapshot | null,
) {
  const trace_ids = calls.map((call) => call.trace_id);
  const parameters = { project_id, trace_ids, ...(prices?.boundaries ?? noBoundaries) };
  if (statement === 'usage_flat_sum_counted') return { ...parameters, is_explained };
  if (statement !== 'usage_tree_walk') return parameters;
  return { ...parameters, is_explained, call_ids: calls.map((call) => call.call_id) };
}

/** A row of locate_calls.sql. */
export interface LocatedCall {
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
  options: ReadOptions,
): Promise<LocatedCall[]> {
  const parameters = { project_id, call_ids, include_costs };
  return await clickhouse.read<LocatedCall>('locate_calls', parameters, options);
}

type UsageStatement = FlatSum | 'usage_tree_walk';

/** A statement that is right for whole traces only. */
export type FlatSum = StoredSum | 'usage_flat_sum_counted';

/** A statement that sums counters as they are stored. */
type StoredSum = 'usage_flat_sum' | 'usage_flat_sum_ordered' | 'usage_flat_sum_rolled_up';

function* chooseStatement(query: UsageQuery, calls: readonly LocatedCall[]): Steps<UsageStatement> {
  if (!(yield* areRoots(calls))) return 'usage_tree_walk';
  if (calls.some((call) => call.is_rolled_up)) return chooseRolledUp(query);
  return calls.every(({ call_id }) => growsWithTime(call_id))
    ? 'usage_flat_sum_ordered'
    : 'usage_flat_sum';
}

/** Only usage_flat_sum_counted.sql has what an explanation says was counted twice. */
function chooseRolledUp({ is_explained }: UsageQuery): FlatSum {
  return is_explained ? 'usage_flat_sum_counted' : 'usage_flat_sum_rolled_up';
}

/** Whether each call is the only requested one of its trace, and has no parent. */
export function* areRoots(calls: readonly LocatedCall[]): Steps<boolean> {
  if (!calls.every((call) => call.is_root)) return false;
  const traces = yield* toSet(calls.map((call) => call.trace_id));
  return traces.size === calls.length;
}

/** Whether an id is a UUID of version 7, as Weave's SDKs make them. */
function growsWithTime(id: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(id);
}

/**
 * @param rows of the statement that ran
 * @returns null if they are right: each trace has one root, all calls descend from it, and sums say how tokens count
 */
export function* chooseNextStatement(
  statement: FlatSum,
  query: UsageQuery,
  rows: readonly FlatSumRow[],
  traces: number,
): Steps<UsageStatement | null> {
  if (yield* needTreeWalk(rows, traces)) return 'usage_tree_walk';
  if (statement === 'usage_flat_sum_counted') return null;
  let [isRolledUp, isUnordered] = [false, false];
  for (const row of rows as readonly StoredSumRow[]) {
    if (needsRules(row)) return 'usage_flat_sum_counted';
    if (row.is_rolled_up) isRolledUp = true;
    if (row.is_unordered) isUnordered = true;
    yield;
  }
  if (isRolledUp) return chooseRolledUp(query);
  return isUnordered ? 'usage_flat_sum' : null;
}

function* needTreeWalk(rows: readonly FlatSumRow[], traces: number): Steps<boolean> {
  const found = new Map<string, { roots: number; calls: number; keys: number | undefined }>();
  for (const row of rows) {
    yield;
    if (row.needs_tree_walk) return true;
    const trace = found.get(row.call_key) ?? { roots: 0, calls: 0, keys: undefined };
    trace.roots += Number(row.roots);
    trace.calls += Number(row.calls);
    if ('keys' in row) trace.keys = Number(row.keys);
    found.set(row.call_key, trace);
  }
  if (found.size !== traces) return true;
  for (const { roots, calls, keys } of found.values()) {
    yield;
    // The parent of the root is 0, which is no call's key.
    if (roots !== 1 || (keys !== undefined && keys !== calls + 1)) return true;
  }
  return false;
}

export function* fromFlatSumRows(
  statement: FlatSum,
  rows: FlatSumRow[],
  calls: readonly LocatedCall[],
  prices: RequestedPrices,
): Steps<QueriedRows> {
  const rootOf = new Map<string, string>();
  for (const { trace_id, call_id } of calls) {
    rootOf.set(trace_id, call_id);
    yield;
  }
  const isStored = statement !== 'usage_flat_sum_counted';
  return yield* collectRows(rows, (row) => {
    const callId = rootOf.get(row.call_key) ?? '';
    return isStored
      ? fromStoredSum(row as StoredSumRow, callId, prices)
      : fromFlatSum(row, callId, prices);
  });
}

/** Calls without an end include deleted ones: their usage is subtracted from a parent's. */
export function* fromTreeWalkRows(
  rows: TreeWalkRow[],
  prices: RequestedPrices,
): Steps<QueriedRows> {
  const deleted: string[] = [];
  for (const row of rows) {
    yield* append(deleted, row.deleted_open_call_ids);
    yield;
  }
  const collected = yield* collectRows(rows, (row) => fromTreeWalk(row, prices));
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
