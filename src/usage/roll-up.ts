import { ResultTooLargeError } from '../clickhouse/errors.ts';
import { append, type Steps, toSet } from '../slices/run-in-slices.ts';
import type { UsageRow } from './usage-row.ts';

/** What rows are summed up to. */
export interface Summation<Sum> {
  /** Rows of a requested call with equal keys are summed up. */
  readonly toKey: (row: UsageRow) => string;
  readonly toSum: (row: UsageRow) => Sum;
  readonly add: (a: Sum, b: Sum) => Sum;
}

/** A requested call that is present, with the calls whose nearest requested ancestor it is. */
interface RequestedSubtree<Sum> {
  readonly callId: string;
  /** Sums by key: of these calls at first, of all descendants once they are rolled up. */
  readonly sums: Map<string, Sum>;
  readonly ancestorKey: string;
  calls: bigint;
  readonly unfinishedCallIds: string[];
}

/** Requested subtrees by key. */
type RequestedSubtrees<Sum> = ReadonlyMap<string, RequestedSubtree<Sum>>;

/** The distinct calls that some requested calls touch: themselves and all descendants. */
interface TouchedCalls {
  readonly calls: bigint;
  /** Those without an end, unsorted. */
  readonly unfinishedCallIds: readonly string[];
}

/** The usage of all calls that were requested in one batch. */
export interface RolledUp<Sum> {
  /** By the id of each requested call that is present: the sums of it and of all descendants, by key. */
  readonly usages: ReadonlyMap<string, ReadonlyMap<string, Sum>>;
  readonly touchedBy: (callIds: readonly string[]) => Steps<TouchedCalls>;
}

/**
 * Rolls rows up, so that a requested call inside another one's subtree counts in both. There is one row per requested
 * call, model and price: nothing here grows with the number of calls in a trace.
 * @param maxSums sums of a call and key; nested calls with many models may have far more than there are rows
 * @throws {ResultTooLargeError} there are more sums
 */
export function* rollUp<Sum>(
  rows: readonly UsageRow[],
  summation: Summation<Sum>,
  maxSums: number,
): Steps<RolledUp<Sum>> {
  const subtrees = yield* toSubtrees<Sum>(rows);
  for (const row of rows) {
    yield* addRow(subtrees, row, summation);
    yield;
  }
  const childrenOf = yield* toChildren(subtrees);
  const context = { add: summation.add, countSums: createCounter(rows.length, maxSums) };
  yield* addToAncestors(subtrees, childrenOf, context);
  const usages = new Map<string, ReadonlyMap<string, Sum>>();
  for (const { callId, sums } of subtrees.values()) {
    usages.set(callId, sums);
    yield;
  }
  return { usages, touchedBy: (callIds) => findTouched(subtrees, childrenOf, callIds) };
}

/** How the sums of subtrees are added. */
interface AddContext<Sum> {
  readonly add: Summation<Sum>['add'];
  /** Counts sums that were added, and throws when there are too many. */
  readonly countSums: (added: number) => void;
}

function createCounter(rows: number, maxSums: number): (added: number) => void {
  let sums = rows;
  return (added) => {
    sums += added;
    if (sums > maxSums) throw new ResultTooLargeError(`There are more than ${maxSums} sums`);
  };
}

/** The keys of the requested calls whose nearest requested ancestor each is. */
function* toChildren(
  subtrees: RequestedSubtrees<unknown>,
): Steps<ReadonlyMap<string, readonly string[]>> {
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
  subtrees: RequestedSubtrees<unknown>,
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
function* toSubtrees<Sum>(rows: readonly UsageRow[]): Steps<RequestedSubtrees<Sum>> {
  const subtrees = new Map<string, RequestedSubtree<Sum>>();
  for (const { is_present, call_key, call_id, ancestor_key } of rows) {
    yield;
    if (!is_present) continue;
    const empty = { sums: new Map<string, Sum>(), calls: 0n, unfinishedCallIds: [] };
    subtrees.set(call_key, { callId: call_id, ancestorKey: ancestor_key, ...empty });
  }
  return subtrees;
}

function* addRow<Sum>(
  subtrees: RequestedSubtrees<Sum>,
  row: UsageRow,
  { toKey, toSum, add }: Summation<Sum>,
): Steps<void> {
  const subtree = subtrees.get(row.call_key);
  if (subtree === undefined) return;
  addSum(subtree.sums, toKey(row), toSum(row), add);
  subtree.calls += BigInt(row.calls);
  yield* append(subtree.unfinishedCallIds, row.unfinished_call_ids);
}

/** Adds each subtree to its ancestor's, from the innermost outwards; calls in one cycle share one sum. */
function* addToAncestors<Sum>(
  subtrees: RequestedSubtrees<Sum>,
  childrenOf: ReadonlyMap<string, readonly string[]>,
  context: AddContext<Sum>,
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
    const before = ancestor.sums.size;
    yield* addSums(ancestor.sums, subtree.sums, context.add);
    context.countSums(ancestor.sums.size - before);
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
  for (const key of inCycles) yield* shareCycle(key, subtrees, inCycles, context);
}

function* shareCycle<Sum>(
  start: string,
  subtrees: RequestedSubtrees<Sum>,
  inCycles: Set<string>,
  { add, countSums }: AddContext<Sum>,
): Steps<void> {
  const members: RequestedSubtree<Sum>[] = [];
  for (let key = start; inCycles.delete(key);) {
    const subtree = subtrees.get(key);
    if (subtree === undefined) break;
    members.push(subtree);
    key = subtree.ancestorKey;
  }
  const shared = new Map<string, Sum>();
  for (const { sums } of members) yield* addSums(shared, sums, add);
  countSums(shared.size * members.length);
  for (const { sums } of members) {
    sums.clear();
    yield* addSums(sums, shared, add);
  }
}

function* addSums<Sum>(
  to: Map<string, Sum>,
  from: ReadonlyMap<string, Sum>,
  add: Summation<Sum>['add'],
): Steps<void> {
  for (const [key, more] of from) {
    addSum(to, key, more, add);
    yield;
  }
}

function addSum<Sum>(
  to: Map<string, Sum>,
  key: string,
  more: Sum,
  add: Summation<Sum>['add'],
): void {
  const sum = to.get(key);
  to.set(key, sum === undefined ? more : add(sum, more));
}
