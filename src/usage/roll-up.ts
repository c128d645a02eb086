import { addMoney, type Money, parseMoney } from './money.ts';
import type { UsageRow } from './usage-row.ts';

/** What one model used and cost. */
export interface ModelUsage {
  requests: bigint;
  promptTokens: bigint;
  completionTokens: bigint;
  totalTokens: bigint;
  promptCost: Money | null;
  completionCost: Money | null;
}

/** From model name to its usage. */
export type Usage = Map<string, ModelUsage>;

/** A requested call that is there, with the usage of the calls to which it is the nearest requested one. */
interface RequestedSubtree {
  readonly callId: string;
  readonly usage: Usage;
  readonly ancestorKey: string;
  calls: bigint;
  readonly unfinishedCallIds: string[];
}

/** From key to region. */
type RequestedSubtrees = ReadonlyMap<string, RequestedSubtree>;

/** What some requested calls touch: themselves and their descendants. */
interface Touched {
  /** How many distinct calls. */
  readonly calls: bigint;
  /** Those of them that have no end, unsorted. */
  readonly unfinishedCallIds: readonly string[];
}

/** The answers to all calls that were asked for together. */
export interface RolledUp {
  /** Of every requested call that is there: its usage and that of all its descendants. */
  readonly usages: ReadonlyMap<string, Usage>;
  /** What these of the requested calls touch. */
  readonly touchedBy: (callIds: readonly string[]) => Touched;
}

/**
 * Adds the rows that answer a question up, so that a requested call inside another one's subtree counts in both. The
 * rows are one per requested call, model and price: nothing here grows with the calls of a trace.
 */
export function rollUp(rows: readonly UsageRow[]): RolledUp {
  const subtrees = toSubtrees(rows);
  for (const row of rows) addRow(subtrees, row);
  addAlongLinks(subtrees);
  const usages = new Map([...subtrees.values()].map(({ callId, usage }) => [callId, usage]));
  const below = toBelow(subtrees);
  return { usages, touchedBy: (callIds) => touch(subtrees, below, new Set(callIds)) };
}

/** The keys of the requested calls directly below each. */
function toBelow(subtrees: RequestedSubtrees): ReadonlyMap<string, readonly string[]> {
  const below = new Map<string, string[]>();
  for (const [key, { ancestorKey }] of subtrees) {
    const siblings = below.get(ancestorKey);
    if (siblings === undefined) below.set(ancestorKey, [key]);
    else siblings.push(key);
  }
  return below;
}

function touch(
  subtrees: RequestedSubtrees,
  below: ReadonlyMap<string, readonly string[]>,
  callIds: ReadonlySet<string>,
): Touched {
  const keys = new Set<string>();
  for (const [key, { callId }] of subtrees) if (callIds.has(callId)) keys.add(key);
  // A set takes what is added while it is walked.
  for (const key of keys) for (const inner of below.get(key) ?? []) keys.add(inner);
  const touched = [...keys].flatMap((key) => subtrees.get(key) ?? []);
  return {
    calls: touched.reduce((sum, { calls }) => sum + calls, 0n),
    unfinishedCallIds: touched.flatMap((subtree) => subtree.unfinishedCallIds),
  };
}

/** The requested calls that are there; what stands below another one, unknown or deleted, is nobody's. */
function toSubtrees(rows: readonly UsageRow[]): RequestedSubtrees {
  const subtrees = new Map<string, RequestedSubtree>();
  for (const { is_present, call_key, call_id, ancestor_key } of rows) {
    if (!is_present) continue;
    const nothing = { usage: new Map(), calls: 0n, unfinishedCallIds: [] };
    subtrees.set(call_key, { callId: call_id, ancestorKey: ancestor_key, ...nothing });
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

/** Adds every region to the one above it, from the innermost outwards; calls in one cycle share one sum. */
function addAlongLinks(subtrees: RequestedSubtrees): void {
  const below = countBelow(subtrees);
  const done = [...subtrees.keys()].filter((key) => !below.has(key));
  for (const key of done) {
    const subtree = subtrees.get(key);
    const above = subtrees.get(subtree?.ancestorKey ?? '');
    if (subtree === undefined || above === undefined) continue;
    addUsage(above.usage, subtree.usage);
    const left = (below.get(subtree.ancestorKey) ?? 0) - 1;
    below.set(subtree.ancestorKey, left);
    if (left === 0) done.push(subtree.ancestorKey);
  }
  const inCycles = new Set(subtrees.keys());
  for (const key of done) inCycles.delete(key);
  for (const key of inCycles) shareCycle(key, subtrees, inCycles);
}

/** How many requested calls stand directly below each. */
function countBelow(subtrees: RequestedSubtrees): Map<string, number> {
  const below = new Map<string, number>();
  for (const { ancestorKey } of subtrees.values()) {
    if (subtrees.has(ancestorKey)) below.set(ancestorKey, (below.get(ancestorKey) ?? 0) + 1);
  }
  return below;
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
