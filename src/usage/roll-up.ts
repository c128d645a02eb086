import { ResultTooLargeError } from '../clickhouse/errors.ts';
import { append, type Steps, toSet } from '../slices/run-in-slices.ts';
import type { Condition, UsageRow } from './query/usage-row.ts';

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
  readonly conditional: ConditionalUsage;
  readonly ancestorKey: string;
  calls: bigint;
  readonly unfinishedCallIds: string[];
}

/** The rows of a subtree whose usage counts under a condition. */
interface ConditionalUsage {
  /** By response: those of its smallest place in the subtree. */
  readonly ofResponses: Map<string, UsageRow[]>;
  /** Those that count whatever their response, if any, counts for. */
  readonly ofNone: UsageRow[];
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
  for (const [key, { callId, sums, conditional }] of subtrees) {
    usages.set(callId, sums);
    for (const row of conditional.ofNone) addTo(sums, row, summation);
    for (const rows of conditional.ofResponses.values()) {
      for (const row of rows) {
        if (row.condition?.isOwnOnly !== true || row.call_key === key) addTo(sums, row, summation);
      }
      yield;
    }
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
    if (!is_present || subtrees.has(call_key)) continue;
    const conditional = { ofResponses: new Map<string, UsageRow[]>(), ofNone: [] };
    const empty = { sums: new Map<string, Sum>(), conditional, calls: 0n, unfinishedCallIds: [] };
    subtrees.set(call_key, { callId: call_id, ancestorKey: ancestor_key, ...empty });
  }
  return subtrees;
}

function* addRow<Sum>(
  subtrees: RequestedSubtrees<Sum>,
  row: UsageRow,
  summation: Summation<Sum>,
): Steps<void> {
  const subtree = subtrees.get(row.call_key);
  if (subtree === undefined) return;
  if (row.condition !== null) {
    addConditional(subtree.conditional, row, row.condition);
    return;
  }
  addTo(subtree.sums, row, summation);
  subtree.calls += BigInt(row.calls);
  yield* append(subtree.unfinishedCallIds, row.unfinished_call_ids);
}

function addConditional(
  { ofNone, ofResponses }: ConditionalUsage,
  row: UsageRow,
  { response, place }: Condition,
): void {
  if (response === '0') {
    ofNone.push(row);
    return;
  }
  const known = ofResponses.get(response);
  const knownPlace = known?.[0]?.condition?.place ?? Infinity;
  if (place < knownPlace) ofResponses.set(response, [row]);
  else if (place === knownPlace) known?.push(row);
}

/** Keeps the first place of each response. */
function* mergeResponses(
  to: ConditionalUsage['ofResponses'],
  from: ConditionalUsage['ofResponses'],
): Steps<void> {
  for (const [response, rows] of from) {
    const [known, place] = [to.get(response), rows[0]?.condition?.place ?? Infinity];
    if (place < (known?.[0]?.condition?.place ?? Infinity)) to.set(response, rows);
    yield;
  }
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
    const before = countEntries(ancestor);
    yield* addSums(ancestor.sums, subtree.sums, context.add);
    yield* mergeResponses(ancestor.conditional.ofResponses, subtree.conditional.ofResponses);
    context.countSums(countEntries(ancestor) - before);
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

function countEntries({ sums, conditional }: RequestedSubtree<unknown>): number {
  return sums.size + conditional.ofResponses.size;
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
  const responses: ConditionalUsage['ofResponses'] = new Map();
  for (const { sums, conditional } of members) {
    yield* addSums(shared, sums, add);
    yield* mergeResponses(responses, conditional.ofResponses);
  }
  countSums((shared.size + responses.size) * members.length);
  for (const { sums, conditional } of members) {
    sums.clear();
    yield* addSums(sums, shared, add);
    yield* mergeResponses(conditional.ofResponses, responses);
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

function addTo<Sum>(
  sums: Map<string, Sum>,
  row: UsageRow,
  { toKey, toSum, add }: Summation<Sum>,
): void {
  addSum(sums, toKey(row), toSum(row), add);
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
