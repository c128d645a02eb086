import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import { append, runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import { ResultTooLargeError } from '../../clickhouse/errors.ts';
import type { Reservation } from '../../memory-budget.ts';
import { noBoundaries } from '../../prices/snapshot/price-level.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import type { PriceSnapshots } from '../../prices/snapshot/price-snapshots.ts';
import {
  chooseStatement,
  findNextStatements,
  findNextTreeWalk,
  type FlatSum,
  type NextStatements,
  type TreeWalk,
  type UsageStatement,
} from './choose-statement.ts';
import { createReadLimit } from '../limits/create-read-limit.ts';
import { querySettled } from '../rollups/query-settled.ts';
import {
  type FlatSumRow,
  fromFlatSum,
  fromStoredSum,
  fromTreeWalk,
  type LocatedCall,
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
  /** The traces of all of them, where they are known. */
  readonly located?: readonly LocatedCall[];
  /** Of each request that is answered by the query; none if any number of calls is read. */
  readonly limits?: readonly CallLimit[];
}

/** How many distinct calls a request may touch. */
export interface CallLimit {
  readonly callIds: readonly string[];
  readonly limit: number;
}

/** The rows of a query, and the calls that have no end as far as these rows know. */
export interface QueriedRows {
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
 * usage_tree_walk_otel_counted.sql is right for all calls. Most requests are about whole traces, for which a flat sum finds the same
 * with less work; its rows say for which traces they are right, and for the others another statement runs.
 */
export async function queryUsage(
  sources: UsageSources,
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
  const { found, live, knownCallIds, prices } = await querySettled(sources, query, options);
  const pending: [UsageStatement, readonly LocatedCall[]][] = [];
  if (live.length > 0) {
    const first = await runInSlices(chooseStatement(query.is_explained, live), signal);
    pending.push([first, live]);
  }
  const runLimited = createReadLimit({ sources, query, settled: [...found], live, options });
  // Iterating over a list visits what is added meanwhile.
  for (const [statement, asked] of pending) {
    const bytesBefore = reservation.bytes;
    const { clickhouse } = sources;
    const { next, ...queried } = await runLimited(async (limits) => {
      reservation.resize(bytesBefore);
      const step = { clickhouse, query, calls: asked, prices, options: { ...options, ...limits } };
      return await runStatement(statement, step);
    });
    if (queried.rows.length === 0) reservation.resize(bytesBefore);
    found.push(queried);
    pending.push(...next);
  }
  return { ...(await runInSlices(concatenate(found), signal)), knownCallIds };
}

/** What a statement is run for. */
export interface StatementStep {
  readonly clickhouse: ClickHouse;
  readonly query: UsageQuery;
  readonly calls: readonly LocatedCall[];
  readonly prices: PriceSnapshot | null;
  readonly options: ReadOptions;
}

/** The rows of the calls for which the statement is right, and which ones follow for the others. */
async function runStatement(
  statement: UsageStatement,
  { clickhouse, query, calls, prices, options }: StatementStep,
): Promise<QueriedRows & { readonly next: NextStatements }> {
  const { signal } = options;
  const parameters = toParameters(statement, query, calls, prices);
  if (isTreeWalk(statement)) {
    const rows = await clickhouse.read<TreeWalkRow>(statement, parameters, options);
    const better = findNextTreeWalk(statement, query.is_explained, rows);
    const next: NextStatements = new Map(better === null ? [] : [[better, calls]]);
    if (better !== null) return { rows: [], unfinishedCallIds: [], next };
    return { ...(await runInSlices(fromTreeWalkRows(rows, prices), signal)), next };
  }
  const rows = await clickhouse.read<FlatSumRow>(statement, parameters, options);
  const steps = findNextStatements(statement, query.is_explained, rows, calls);
  const next = await runInSlices(steps, signal);
  const right = await runInSlices(withoutTraces(rows, next), signal);
  return { ...(await runInSlices(fromFlatSumRows(statement, right, calls, prices), signal)), next };
}

function isTreeWalk(statement: UsageStatement): statement is TreeWalk {
  return statement.startsWith('usage_tree_walk');
}

/** The rows of other traces than those of the calls that are asked for again. */
function* withoutTraces(rows: FlatSumRow[], next: NextStatements): Steps<FlatSumRow[]> {
  if (next.size === 0) return rows;
  const wrong = new Set<string>();
  for (const calls of next.values()) {
    for (const { trace_id } of calls) {
      wrong.add(trace_id);
      yield;
    }
  }
  const right: FlatSumRow[] = [];
  for (const row of rows) {
    if (!wrong.has(row.call_key)) right.push(row);
    yield;
  }
  return right;
}

function* concatenate(found: readonly QueriedRows[]): Steps<QueriedRows> {
  const [first] = found;
  if (found.length === 1 && first !== undefined) return first;
  const rows: UsageRow[] = [];
  const unfinishedCallIds: string[] = [];
  for (const each of found) {
    yield* append(rows, each.rows);
    yield* append(unfinishedCallIds, each.unfinishedCallIds);
  }
  return { rows, unfinishedCallIds };
}

/** What usage is read from. */
export interface UsageSources {
  readonly clickhouse: ClickHouse;
  readonly prices: Pick<PriceSnapshots, 'current'>;
  /** Of the rollups that may be used; null for none. */
  readonly rulesVersion: string | null;
}

/** @returns the prices of now, or newer ones; null for a request without costs */
export async function readPrices(
  snapshots: Pick<PriceSnapshots, 'current'>,
  { project_id, include_costs }: UsageQuery,
  signal: AbortSignal,
): Promise<PriceSnapshot | null> {
  return include_costs ? await snapshots.current(project_id, signal) : null;
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
  if (!isTreeWalk(statement)) return parameters;
  const walked = { ...parameters, call_ids: calls.map((call) => call.call_id) };
  const isStored = statement === 'usage_tree_walk_stored' || statement === 'usage_tree_walk_otel';
  return isStored ? walked : { ...walked, is_explained };
}

/** Finds the traces of the requested calls; an unknown call has no row. */
export async function locateCalls(
  clickhouse: ClickHouse,
  { project_id, call_ids }: Pick<UsageQuery, 'project_id' | 'call_ids'>,
  options: ReadOptions,
): Promise<LocatedCall[]> {
  const parameters = { project_id, call_ids };
  return await clickhouse.read<LocatedCall>('locate_calls', parameters, options);
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
    yield* append(deleted, row.deleted_open_call_ids ?? []);
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
