import { addMoney, type Money, parseMoney } from './money.ts';
import type { UsageRow } from './usage-row.ts';

/** Tokens and costs of one model. */
export interface ModelUsage {
  requests: bigint;
  promptTokens: bigint;
  completionTokens: bigint;
  totalTokens: bigint;
  promptCost: Money | null;
  completionCost: Money | null;
}

/** Usage by model name. */
export type Usage = Map<string, ModelUsage>;

/** A requested call that is present, with the calls whose nearest requested ancestor it is. */
interface RequestedSubtree {
  readonly callId: string;
  /** That of these calls at first, that of all descendants once it is rolled up. */
  readonly usage: Usage;
  readonly ancestorKey: string;
  calls: bigint;
  readonly unfinishedCallIds: string[];
}

/** Requested subtrees by key. */
type RequestedSubtrees = ReadonlyMap<string, RequestedSubtree>;

/** The distinct calls that some requested calls touch: themselves and all descendants. */
interface TouchedCalls {
  readonly calls: bigint;
  /** Those without an end, unsorted. */
  readonly unfinishedCallIds: readonly string[];
}

/** The usage of all calls that were requested in one batch. */
export interface RolledUp {
  /** By the id of each requested call that is present: its usage and that of all descendants. */
  readonly usages: ReadonlyMap<string, Usage>;
  readonly touchedBy: (callIds: readonly string[]) => TouchedCalls;
}

/**
 * Rolls rows up, so that a requested call inside another one's subtree counts in both. There is one row per requested
 * call, model and price: nothing here grows with the number of calls in a trace.
 */
export function rollUp(rows: readonly UsageRow[]): RolledUp {
  const subtrees = toSubtrees(rows);
  for (const row of rows) addRow(subtrees, row);
  const childrenOf = toChildren(subtrees);
  addToAncestors(subtrees, childrenOf);
  const usages = new Map([...subtrees.values()].map(({ callId, usage }) => [callId, usage]));
  return { usages, touchedBy: (callIds) => findTouched(subtrees, childrenOf, new Set(callIds)) };
}

/** The keys of the requested calls whose nearest requested ancestor each is. */
function toChildren(subtrees: RequestedSubtrees): ReadonlyMap<string, readonly string[]> {
  const childrenOf = new Map<string, string[]>();
  for (const [key, { ancestorKey }] of subtrees) {
    const siblings = childrenOf.get(ancestorKey);
    if (siblings === undefined) childrenOf.set(ancestorKey, [key]);
    else siblings.push(key);
  }
  return childrenOf;
}

function findTouched(
  subtrees: RequestedSubtrees,
  childrenOf: ReadonlyMap<string, readonly string[]>,
  callIds: ReadonlySet<string>,
): TouchedCalls {
  const keys = new Set<string>();
  for (const [key, { callId }] of subtrees) if (callIds.has(callId)) keys.add(key);
  // Iterating over a set visits what is added meanwhile.
  for (const key of keys) for (const child of childrenOf.get(key) ?? []) keys.add(child);
  const touched = [...keys].flatMap((key) => subtrees.get(key) ?? []);
  return {
    calls: touched.reduce((sum, { calls }) => sum + calls, 0n),
    unfinishedCallIds: touched.flatMap((subtree) => subtree.unfinishedCallIds),
  };
}

/** Descendants of a requested call that is unknown or deleted have no subtree, and count nowhere. */
function toSubtrees(rows: readonly UsageRow[]): RequestedSubtrees {
  const subtrees = new Map<string, RequestedSubtree>();
  for (const { is_present, call_key, call_id, ancestor_key } of rows) {
    if (!is_present) continue;
    const empty = { usage: new Map(), calls: 0n, unfinishedCallIds: [] };
    subtrees.set(call_key, { callId: call_id, ancestorKey: ancestor_key, ...empty });
  }
  return subtrees;
}

function addRow(subtrees: RequestedSubtrees, row: UsageRow): void {
  const subtree = subtrees.get(row.call_key);
  if (subtree === undefined) return;
  addUsage(subtree.usage, new Map([[row.model, toModelUsage(row)]]));
  subtree.calls += BigInt(row.calls);
  for (const id of row.unfinished_call_ids) subtree.unfinishedCallIds.push(id);
}

function toModelUsage(row: UsageRow): ModelUsage {
  return {
    requests: BigInt(row.requests),
    promptTokens: BigInt(row.prompt_tokens),
    completionTokens: BigInt(row.completion_tokens),
    totalTokens: BigInt(row.total_tokens),
    promptCost: row.prompt_cost === null ? null : parseMoney(row.prompt_cost),
    completionCost: row.completion_cost === null ? null : parseMoney(row.completion_cost),
  };
}

/** Adds each subtree to its ancestor's, from the innermost outwards; calls in one cycle share one sum. */
function addToAncestors(
  subtrees: RequestedSubtrees,
  childrenOf: ReadonlyMap<string, readonly string[]>,
): void {
  const pendingChildren = new Map(
    [...childrenOf].map(([key, children]) => [key, children.length] as const),
  );
  const complete = [...subtrees.keys()].filter((key) => !pendingChildren.has(key));
  for (const key of complete) {
    const subtree = subtrees.get(key);
    const ancestor = subtrees.get(subtree?.ancestorKey ?? '');
    if (subtree === undefined || ancestor === undefined) continue;
    addUsage(ancestor.usage, subtree.usage);
    const pending = (pendingChildren.get(subtree.ancestorKey) ?? 0) - 1;
    pendingChildren.set(subtree.ancestorKey, pending);
    if (pending === 0) complete.push(subtree.ancestorKey);
  }
  const inCycles = new Set(subtrees.keys());
  for (const key of complete) inCycles.delete(key);
  for (const key of inCycles) shareCycle(key, subtrees, inCycles);
}

function shareCycle(start: string, subtrees: RequestedSubtrees, inCycles: Set<string>): void {
  const members: RequestedSubtree[] = [];
  for (let key = start; inCycles.delete(key);) {
    const subtree = subtrees.get(key);
    if (subtree === undefined) break;
    members.push(subtree);
    key = subtree.ancestorKey;
  }
  const sum: Usage = new Map();
  for (const { usage } of members) addUsage(sum, usage);
  for (const { usage } of members) {
    usage.clear();
    addUsage(usage, sum);
  }
}

function addUsage(to: Usage, from: Usage): void {
  for (const [model, more] of from) {
    const sum = to.get(model);
    to.set(model, sum === undefined ? { ...more } : addModelUsage(sum, more));
  }
}

function addModelUsage(a: ModelUsage, b: ModelUsage): ModelUsage {
  return {
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    promptCost: addMoney(a.promptCost, b.promptCost),
    completionCost: addMoney(a.completionCost, b.completionCost),
  };
}
