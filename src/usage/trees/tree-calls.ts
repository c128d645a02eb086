import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { LocatedCall, UsageRow } from '../query/usage-row.ts';
import {
  type CallDetails,
  type DetailsParameters,
  readCallDetails,
} from '../lists/call-details.ts';
import type { ListedCall } from '../lists/call-list.ts';
import { readTogether } from '../query/read-together.ts';
import type { TreeCall } from './tree-json.ts';

/** The calls of an answer, and their usage if it is known already. */
export interface TreeCalls {
  readonly calls: readonly TreeCall[];
  readonly usage: readonly UsageRow[] | null;
}

/**
 * Reads what a tree says of each call, and what decides how its usage is computed.
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function readTreeCalls(
  clickhouse: ClickHouse,
  project_id: string,
  listed: readonly ListedCall[],
  { signal, reserve }: Required<ReadOptions>,
): Promise<TreeCall[]> {
  if (listed.length === 0) return [];
  const parameters = toDetailsParameters(project_id, listed);
  const { trace_ids, keys } = parameters;
  const [details, nodes] = await readTogether<[CallDetails[], TreeNode[]]>(signal, [
    (signal) => readCallDetails(clickhouse, parameters, { signal, reserve }),
    (signal) => clickhouse.read('tree_calls', { project_id, trace_ids, keys }, { signal, reserve }),
  ]);
  return toTreeCalls(keys, details, nodes);
}

/** Of the calls of a tree, only names and times are read. */
export function toDetailsParameters(
  project_id: string,
  listed: readonly ListedCall[],
): DetailsParameters {
  return {
    project_id,
    trace_ids: [...new Set(listed.map(({ trace_id }) => trace_id))],
    keys: listed.map(({ key }) => key),
    ...{ with_attributes: false, with_inputs: false, with_output: false, with_summary: false },
  };
}

/** A row of tree_calls.sql. */
export interface TreeNode extends Pick<LocatedCall, 'is_root' | 'is_rolled_up'> {
  /** As text. */
  readonly key: string;
  readonly children: string;
  readonly has_spans: 0 | 1;
}

/** In the order of the keys; without those of which one of both has been deleted meanwhile. */
export function toTreeCalls(
  keys: readonly string[],
  details: readonly CallDetails[],
  nodes: readonly TreeNode[],
): TreeCall[] {
  const detailsOf = new Map(details.map((call) => [call.key, call]));
  const nodeOf = new Map(nodes.map((node) => [node.key, node]));
  return keys.flatMap((key) => toTreeCall(detailsOf.get(key), nodeOf.get(key)));
}

function toTreeCall(details: CallDetails | undefined, node: TreeNode | undefined): TreeCall[] {
  if (details === undefined || node === undefined) return [];
  const { id: call_id, trace_id } = details;
  const { children, is_root, is_rolled_up, has_spans } = node;
  const located = { call_id, trace_id, is_root, is_rolled_up };
  return [{ details, located, children, hasSpans: has_spans === 1 }];
}
