import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import type { TraceUsageReq } from '../../openapi-types.ts';
import { noBoundaries } from '../../prices/snapshot/price-level.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import { fromTreeWalk, type RequestedPrices, type UsageRow } from '../query/usage-row.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import type { ListedCall } from '../lists/call-list.ts';
import {
  type DescribedCalls,
  isSpan,
  needsCounting,
  readDescribedCalls,
  type StoredUsageReads,
  type StoredUsageRow,
} from '../lists/stored-usage.ts';
import { toDetailsParameters, toTreeCalls, type TreeCalls, type TreeNode } from './tree-calls.ts';
import type { TreeCall } from './tree-json.ts';

/** Whether a request selects all calls of the traces of which it selects any. */
export function areWholeTrees({ filter, query, level }: TraceUsageReq): boolean {
  if ((level ?? query ?? null) !== null) return false;
  return Object.entries(filter ?? {}).every(
    ([name, value]) =>
      name === 'trace_ids' ||
      value === null ||
      value === false ||
      (Array.isArray(value) && value.length === 0),
  );
}

/** All calls of some traces. */
interface WholeTraces {
  readonly project_id: string;
  readonly calls: readonly ListedCall[];
  /** Null for an answer without costs. */
  readonly prices: PriceSnapshot | null;
}

/**
 * Reads what a tree says of each call, and what the calls stored as their usage. Where all calls are selected, that is their
 * usage: no call between them has to be found, as a tree walk does.
 * @returns without usage where calls may have used something else than they stored
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function readWholeTrees(
  clickhouse: ClickHouse,
  { project_id, calls: listed, prices }: WholeTraces,
  reads: StoredUsageReads,
): Promise<TreeCalls> {
  if (listed.length === 0) return { calls: [], usage: [] };
  const parameters = toDetailsParameters(project_id, listed);
  const boundaries = prices?.boundaries ?? noBoundaries;
  const described = await readDescribedCalls(clickhouse, parameters, boundaries, reads);
  return await runInSlices(toWholeTraces(parameters.keys, described, prices), reads.signal);
}

function* toWholeTraces(
  keys: readonly string[],
  { details, usage }: DescribedCalls,
  prices: RequestedPrices,
): Steps<TreeCalls> {
  const calls = toTreeCalls(keys, details, yield* toNodes(usage));
  for (const row of usage) {
    if (needsCounting(row)) return { calls, usage: null };
    yield;
  }
  return { calls, usage: yield* toUsageRows(calls, usage, prices) };
}

/** What tree_calls.sql would answer. */
function* toNodes(usage: readonly StoredUsageRow[]): Steps<TreeNode[]> {
  const calls = new Map<string, StoredUsageRow>();
  for (const row of usage) {
    calls.set(row.call_key, row);
    yield;
  }
  const children = new Map<string, number>();
  for (const { call_key, parent_key } of calls.values()) {
    if (parent_key !== call_key) children.set(parent_key, (children.get(parent_key) ?? 0) + 1);
    yield;
  }
  const has_spans = usage.some(isSpan) ? 1 : 0;
  const nodes: TreeNode[] = [];
  for (const { call_key: key, parent_key, usage_modes } of calls.values()) {
    const is_root = parent_key === '0' ? 1 : 0;
    const is_rolled_up = (usage_modes & 1) === 0 ? 0 : 1;
    nodes.push({ key, children: String(children.get(key) ?? 0), is_root, is_rolled_up, has_spans });
    yield;
  }
  return nodes;
}

function* toUsageRows(
  calls: readonly TreeCall[],
  usage: readonly StoredUsageRow[],
  prices: RequestedPrices,
): Steps<UsageRow[]> {
  const idOf = new Map<string, string>();
  for (const { details } of calls) {
    idOf.set(details.key, details.id);
    yield;
  }
  const rows: UsageRow[] = [];
  for (const row of usage) {
    const call_id = idOf.get(row.call_key);
    if (call_id !== undefined) {
      const call = { call_id, is_present: 1, ancestor_key: row.parent_key } as const;
      rows.push(fromTreeWalk({ ...row, ...call }, prices));
    }
    yield;
  }
  return rows;
}
