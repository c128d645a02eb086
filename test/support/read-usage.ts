import { expect } from 'vitest';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { toDecimalText } from '../../src/money.ts';
import { readPriceBook } from '../../src/prices/catalog/price-book.ts';
import { PriceSnapshots } from '../../src/prices/snapshot/price-snapshots.ts';
import { runInSlices } from '../../src/slices/run-in-slices.ts';
import {
  areRoots,
  findNextStatements,
  findNextTreeWalk,
  type FlatSum,
  type TreeWalk,
} from '../../src/usage/query/choose-statement.ts';
import {
  fromFlatSumRows,
  fromTreeWalkRows,
  locateCalls,
  readPrices,
  toParameters,
  type UsageQuery,
} from '../../src/usage/query/query-usage.ts';
import type { FlatSumRow, TreeWalkRow, UsageRow } from '../../src/usage/query/usage-row.ts';

/** The queries that are right for whole traces only. */
export const flatSumQueries = [
  'usage_flat_sum',
  'usage_flat_sum_ordered',
  'usage_flat_sum_otel',
  'usage_flat_sum_repeated',
  'usage_flat_sum_rolled_up',
  'usage_flat_sum_counted',
] as const;

const otherTreeWalks = [
  'usage_tree_walk_stored',
  'usage_tree_walk_otel',
  'usage_tree_walk_otel_counted',
] as const;

/** A row with its counters and costs as text. */
export interface ReadRow extends UsageRow {
  readonly requests: string;
  readonly prompt_tokens: string;
  readonly completion_tokens: string;
  readonly total_tokens: string;
  /** An exact decimal in USD. */
  readonly prompt_cost: string | null;
  readonly completion_cost: string | null;
}

const options = {};

const snapshotsOf = new WeakMap<ClickHouse, PriceSnapshots>();

/** Reading all prices takes longer than most tests. */
function toSnapshots(clickhouse: ClickHouse): PriceSnapshots {
  const known = snapshotsOf.get(clickhouse);
  if (known !== undefined) return known;
  const options = { clickhouse, readBook: readPriceBook, maxProjectRows: 100_000 };
  const snapshots = new PriceSnapshots(options);
  snapshotsOf.set(clickhouse, snapshots);
  return snapshots;
}

async function locate(clickhouse: ClickHouse, query: UsageQuery) {
  const snapshots = toSnapshots(clickhouse);
  const calls = await locateCalls(clickhouse, query, options);
  const prices = await readPrices(snapshots, query, new AbortController().signal);
  return { calls, prices };
}

/** The rows of a tree walk; undefined if they need another one. */
export async function readTreeWalk(
  clickhouse: ClickHouse,
  name: TreeWalk,
  query: UsageQuery,
): Promise<ReadRow[] | undefined> {
  const { calls, prices } = await locate(clickhouse, query);
  const parameters = toParameters(name, query, calls, prices);
  const rows = await clickhouse.read<TreeWalkRow>(name, parameters);
  if (findNextTreeWalk(name, query.is_explained, rows) !== null) return undefined;
  return (await runInSlices(fromTreeWalkRows(rows, prices))).rows.map(toReadRow);
}

/** The rows of a flat sum; undefined if the calls are not roots, or if its rows need another statement. */
export async function readFlatSum(
  clickhouse: ClickHouse,
  name: FlatSum,
  query: UsageQuery,
): Promise<ReadRow[] | undefined> {
  const { calls, prices } = await locate(clickhouse, query);
  if (!(await runInSlices(areRoots(calls)))) return undefined;
  const parameters = toParameters(name, query, calls, prices);
  const rows = await clickhouse.read<FlatSumRow>(name, parameters);
  const next = await runInSlices(findNextStatements(name, query.is_explained, rows, calls));
  if (next.size > 0) return undefined;
  return (await runInSlices(fromFlatSumRows(name, rows, calls, prices))).rows.map(toReadRow);
}

/**
 * The rows of usage_tree_walk.sql for calls without spans. Other tree walks must have the same ones, and a flat sum that
 * answers too.
 */
export async function readUsage(
  clickhouse: ClickHouse,
  project_id: string,
  call_ids: readonly string[],
  include_costs: boolean,
): Promise<ReadRow[]> {
  const query = { project_id, call_ids, include_costs, is_explained: false };
  const rows = (await readTreeWalk(clickhouse, 'usage_tree_walk', query)) ?? [];
  for (const name of otherTreeWalks) {
    const walkedRows = await readTreeWalk(clickhouse, name, query);
    if (walkedRows !== undefined) expect(toComparable(walkedRows)).toEqual(toComparable(rows));
  }
  for (const name of flatSumQueries) {
    const flatRows = await readFlatSum(clickhouse, name, query);
    if (flatRows !== undefined) expect(toComparable(flatRows)).toEqual(toComparable(rows));
  }
  return rows;
}

function toReadRow(row: UsageRow): ReadRow {
  const [requests, prompt_tokens, completion_tokens, total_tokens] = row.counters.map(String);
  const cost = row.price?.cost(row.counters);
  return {
    ...row,
    ...{ requests: requests!, prompt_tokens: prompt_tokens! },
    ...{ completion_tokens: completion_tokens!, total_tokens: total_tokens! },
    prompt_cost: cost === undefined ? null : toDecimalText(cost.prompt),
    completion_cost: cost === undefined ? null : toDecimalText(cost.completion),
  };
}

/**
 * What is the same whichever statement the rows are from: the rows with usage, in one order and without their keys; and of
 * each requested call the calls and those without an end, which statements count in different rows.
 */
function toComparable(rows: readonly ReadRow[]): object {
  const idOf = new Map(rows.map((row) => [row.call_key, row.call_id]));
  const usage = rows
    .filter(({ counters }) => counters.some((counter) => counter > 0n))
    .map(({ call_key, ancestor_key, is_present, calls, unfinished_call_ids, ...row }) => ({
      ...row,
      counters: row.counters.map(String),
      price: row.price?.row.id ?? null,
    }))
    .map((row) => ({ row, text: JSON.stringify(row, Object.keys(row).sort()) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ row }) => row);
  const calls = [...new Set(rows.map(({ call_id }) => call_id))].sort().map((id) => {
    const ofCall = rows.filter(({ call_id }) => call_id === id);
    return {
      call_id: id,
      calls: ofCall.reduce((sum, row) => sum + BigInt(row.calls), 0n),
      unfinished: ofCall.flatMap((row) => row.unfinished_call_ids).sort(),
      ancestors: [...new Set(ofCall.map((row) => idOf.get(row.ancestor_key) ?? ''))].sort(),
    };
  });
  return { usage, calls };
}
