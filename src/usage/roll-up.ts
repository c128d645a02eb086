import { ResultTooLargeError } from '../clickhouse/errors.ts';
import { append, type Steps, toSet } from '../slices/run-in-slices.ts';
import { addMoney, type Money } from '../money.ts';
import type { UsageRow } from './usage-row.ts';

/** Tokens and costs of one model. */
export interface ModelUsage {
  readonly requests: bigint;
  readonly promptTokens: bigint;
  readonly completionTokens: bigint;
  readonly totalTokens: bigint;
  readonly promptCost: Money | null;
  readonly completionCost: Money | null;
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
  readonly touchedBy: (callIds: readonly string[]) => Steps<TouchedCalls>;
}

/**
 * Rolls rows up, so that a requested call inside another one's subtree counts in both. There is one row per requested
 * call, model and price: nothing here grows with the number of calls in a trace.
 * @param maxSums sums of a call and model; nested calls with many models may have far more than there are rows
 * @throws {ResultTooLargeError} there are more sums
 */
export function* rollUp(rows: readonly UsageRow[], maxSums: number): Steps<RolledUp> {
  const subtrees = yield* toSubtrees(rows);
  for (const row of rows) {
    yield* addRow(subtrees, row);
    yield;
  }
  const childrenOf = yield* toChildren(subtrees);
  yield* addToAncestors(subtrees, childrenOf, createCounter(rows.length, maxSums));
  const usages = new Map<string, Usage>();
  for (const { callId, usage } of subtrees.values()) {
    usages.set(callId, usage);
    yield;
  }
  return { usages, touchedBy: (callIds) => findTouched(subtrees, childrenOf, callIds) };
}

/** Counts sums that were added, and throws when there are too many. */
type CountSums = (added: number) => void;

function createCounter(rows: number, maxSums: number): CountSums {
  let sums = rows;
  return (added) => {
    sums += added;
    if (sums > maxSums) throw new ResultTooLargeError(`There are more than ${maxSums} sums`);
  };
}

/** The keys of the requested calls whose nearest requested ancestor each is. */
function* toChildren(subtrees: RequestedSubtrees): Steps<ReadonlyMap<string, readonly string[]>> {
  const childrenOf = new Map<string, string[]>();
  for (const [key, { ancestorKey }] of subtrees) {
    const siblings = childrenOf.get(ancestorKey);
    if (siblings === undefined) childrenOf.set(ancestorKey, [key]);
    else siblings.push(key);
    yield;
  }
  return childrenOf;
}

function* findTouched(
  subtrees: RequestedSubtrees,
  childrenOf: ReadonlyMap<string, readonly string[]>,
  callIds: readonly string[],
): Steps<TouchedCalls> {
  const requested = yield* toSet(callIds);
  const keys = new Set<string>();
  for (const [key, { callId }] of subtrees) {
    if (requested.has(callId)) keys.add(key);
    yield;
  }
  let calls = 0n;
  const unfinishedCallIds: string[] = [];
  // Iterating over a set visits what is added meanwhile.
  for (const key of keys) {
    for (const child of childrenOf.get(key) ?? []) {
      keys.add(child);
      yield;
    }
    const subtree = subtrees.get(key);
    if (subtree === undefined) continue;
    calls += subtree.calls;
    yield* append(unfinishedCallIds, subtree.unfinishedCallIds);
    yield;
  }
  return { calls, unfinishedCallIds };
}

/** Descendants of a requested call that is unknown or deleted have no subtree, and count nowhere. */
function* toSubtrees(rows: readonly UsageRow[]): Steps<RequestedSubtrees> {
  const subtrees = new Map<string, RequestedSubtree>();
  for (const { is_present, call_key, call_id, ancestor_key } of rows) {
    yield;
    if (!is_present) continue;
    const empty = { usage: new Map(), calls: 0n, unfinishedCallIds: [] };
    subtrees.set(call_key, { callId: call_id, ancestorKey: ancestor_key, ...empty });
  }
  return subtrees;
}

function* addRow(subtrees: RequestedSubtrees, row: UsageRow): Steps<void> {
  const subtree = subtrees.get(row.call_key);
  if (subtree === undefined) return;
  addModelUsage(subtree.usage, row.model, toModelUsage(row));
  subtree.calls += BigInt(row.calls);
  yield* append(subtree.unfinishedCallIds, row.unfinished_call_ids);
}

function toModelUsage({ counters, price }: UsageRow): ModelUsage {
  const [requests = 0n, promptTokens = 0n, completionTokens = 0n, totalTokens = 0n] = counters;
  const cost = price?.cost(counters);
  return {
    ...{ requests, promptTokens, completionTokens, totalTokens },
    promptCost: cost?.prompt ?? null,
    completionCost: cost?.completion ?? null,
  };
}

/** Adds each subtree to its ancestor's, from the innermost outwards; calls in one cycle share one sum. */
function* addToAncestors(
  subtrees: RequestedSubtrees,
  childrenOf: ReadonlyMap<string, readonly string[]>,
  countSums: CountSums,
): Steps<void> {
  const pendingChildren = new Map<string, number>();
  const complete: string[] = [];
  for (const key of subtrees.keys()) {
    const children = childrenOf.get(key);
    if (children === undefined) complete.push(key);
    else pendingChildren.set(key, children.length);
    yield;
  }
  for (const key of complete) {
    yield;
    const subtree = subtrees.get(key);
    const ancestor = subtrees.get(subtree?.ancestorKey ?? '');
    if (subtree === undefined || ancestor === undefined) continue;
    const before = ancestor.usage.size;
    yield* addUsage(ancestor.usage, subtree.usage);
    countSums(ancestor.usage.size - before);
    const pending = (pendingChildren.get(subtree.ancestorKey) ?? 0) - 1;
    pendingChildren.set(subtree.ancestorKey, pending);
    if (pending === 0) complete.push(subtree.ancestorKey);
  }
  if (complete.length === subtrees.size) return;
  const inCycles = yield* toSet(subtrees.keys());
  for (const key of complete) {
    inCycles.delete(key);
    yield;
  }
  for (const key of inCycles) yield* shareCycle(key, subtrees, inCycles, countSums);
}

function* shareCycle(
  start: string,
  subtrees: RequestedSubtrees,
  inCycles: Set<string>,
  countSums: CountSums,
): Steps<void> {
  const members: RequestedSubtree[] = [];
  for (let key = start; inCycles.delete(key);) {
    const subtree = subtrees.get(key);
    if (subtree === undefined) break;
    members.push(subtree);
    key = subtree.ancestorKey;
  }
  const sum: Usage = new Map();
  for (const { usage } of members) yield* addUsage(sum, usage);
  countSums(sum.size * members.length);
  for (const { usage } of members) {
    usage.clear();
    yield* addUsage(usage, sum);
  }
}

function* addUsage(to: Usage, from: Usage): Steps<void> {
  for (const [model, more] of from) {
    addModelUsage(to, model, more);
    yield;
  }
}

function addModelUsage(to: Usage, model: string, more: ModelUsage): void {
  const sum = to.get(model);
  to.set(model, sum === undefined ? more : toSum(sum, more));
}

function toSum(a: ModelUsage, b: ModelUsage): ModelUsage {
  return {
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    promptCost: addMoney(a.promptCost, b.promptCost),
    completionCost: addMoney(a.completionCost, b.completionCost),
  };
}
