import { type Steps, toSet } from '../../slices/run-in-slices.ts';
import { needsRules } from '../usage-counters.ts';
import {
  type FlatSumRow,
  isStored,
  type LocatedCall,
  type OtelSumRow,
  type StoredSumRow,
  type TreeWalkRow,
} from './usage-row.ts';

export type UsageStatement = FlatSum | TreeWalk;

/** A statement that is right for any calls. */
export type TreeWalk = PlainTreeWalk | OtelTreeWalk;

/** For calls of which none is a span of OpenTelemetry: the first one sums counters as they are stored, the second one is always right. */
type PlainTreeWalk = 'usage_tree_walk_stored' | 'usage_tree_walk';

/** The same for any calls. */
type OtelTreeWalk = 'usage_tree_walk_otel' | 'usage_tree_walk_otel_counted';

/** A statement that is right for whole traces only. */
export type FlatSum = StoredSum | 'usage_flat_sum_counted';

/** A statement that sums counters as they are stored. */
type StoredSum =
  'usage_flat_sum' | 'usage_flat_sum_ordered' | 'usage_flat_sum_rolled_up' | OtelFlatSum;

/** The first one leaves out what spans repeat, the second one is right where nothing is repeated. */
type OtelFlatSum = 'usage_flat_sum_repeated' | 'usage_flat_sum_otel';

/** Chooses the statement that is probably right, by what the ids of the calls and their roots look like. */
export function* chooseStatement(
  isExplained: boolean,
  calls: readonly LocatedCall[],
): Steps<UsageStatement> {
  const hasSpans = calls.some(({ call_id }) => isSpanId(call_id));
  const isRolledUp = calls.some((call) => call.is_rolled_up === 1);
  if (!(yield* areRoots(calls))) {
    return hasSpans ? chooseOtelTreeWalk(isExplained) : chooseTreeWalk(isExplained || isRolledUp);
  }
  if (isRolledUp) return chooseRolledUp(isExplained);
  if (hasSpans) return chooseOtelFlatSum(isExplained);
  return calls.every(({ call_id }) => growsWithTime(call_id))
    ? 'usage_flat_sum_ordered'
    : 'usage_flat_sum';
}

/** Only usage_flat_sum_counted.sql has what an explanation says was counted twice. */
function chooseRolledUp(isExplained: boolean): FlatSum {
  return isExplained ? 'usage_flat_sum_counted' : 'usage_flat_sum_rolled_up';
}

function chooseTreeWalk(needsCounting: boolean): PlainTreeWalk {
  return needsCounting ? 'usage_tree_walk' : 'usage_tree_walk_stored';
}

/** Of what spans repeat an explanation says how much it is, which only a tree walk does. */
function chooseOtelFlatSum(isExplained: boolean): OtelFlatSum {
  return isExplained ? 'usage_flat_sum_otel' : 'usage_flat_sum_repeated';
}

function chooseOtelTreeWalk(needsCounting: boolean): OtelTreeWalk {
  return needsCounting ? 'usage_tree_walk_otel_counted' : 'usage_tree_walk_otel';
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

/** Whether an id is that of a span of OpenTelemetry: 8 bytes. */
function isSpanId(id: string): boolean {
  return /^[0-9a-f]{16}$/i.test(id);
}

/** The calls whose rows are wrong, by the statement that is asked for them next. */
export type NextStatements = ReadonlyMap<UsageStatement, readonly LocatedCall[]>;

/**
 * Finds the traces for which a flat sum is wrong; its rows of others are the answer. It is right if a trace has one root,
 * all calls descend from it, sums say how tokens count, and no usage is repeated that the statement does not subtract.
 */
export function* findNextStatements(
  statement: FlatSum,
  isExplained: boolean,
  rows: readonly FlatSumRow[],
  calls: readonly LocatedCall[],
): Steps<NextStatements> {
  const traces = yield* toTraces(statement, rows);
  const next = new Map<UsageStatement, LocatedCall[]>();
  for (const call of calls) {
    yield;
    const chosen = chooseNext(statement, isExplained, call, traces.get(call.trace_id));
    if (chosen === null) continue;
    const others = next.get(chosen);
    if (others === undefined) next.set(chosen, [call]);
    else others.push(call);
  }
  return next;
}

/** The tree walk that is right for the same calls; none if that is the one that ran. */
export function findNextTreeWalk(
  statement: TreeWalk,
  isExplained: boolean,
  rows: readonly TreeWalkRow[],
): TreeWalk | null {
  const mustCount = rows.some(
    (row) => isStored(row) && (needsRules(row) || (row.usage_modes & 1) !== 0),
  );
  if (statement === 'usage_tree_walk_stored' || statement === 'usage_tree_walk') {
    if (rows.some(isOtel)) return chooseOtelTreeWalk(isExplained || mustCount);
    return mustCount ? 'usage_tree_walk' : null;
  }
  return mustCount ? 'usage_tree_walk_otel_counted' : null;
}

function isOtel(row: TreeWalkRow): boolean {
  return isStored(row) ? (row.usage_modes & 2) !== 0 : row.is_otel === 1;
}

/** What the rows of one trace say. */
interface Trace {
  roots: number;
  calls: number;
  /** Of usage_flat_sum_ordered.sql only. */
  keys: number | undefined;
  needsTreeWalk: boolean;
  /** Whether sums of stored counters do not say how tokens count. */
  needsRules: boolean;
  isRolledUp: boolean;
  isUnordered: boolean;
  isOtel: boolean;
  /** Whether spans may repeat usage that the statement does not leave out. */
  needsOtelRule: boolean;
  /** Whether there are more calls than usage_flat_sum_repeated.sql reads. */
  isLarge: boolean;
}

function* toTraces(
  statement: FlatSum,
  rows: readonly FlatSumRow[],
): Steps<ReadonlyMap<string, Trace>> {
  const traces = new Map<string, Trace>();
  for (const row of rows) {
    yield;
    const trace = traces.get(row.call_key) ?? emptyTrace();
    traces.set(row.call_key, trace);
    trace.roots += Number(row.roots);
    trace.calls += Number(row.calls);
    trace.needsTreeWalk ||= row.needs_tree_walk === 1;
    if (statement === 'usage_flat_sum_counted') trace.isOtel ||= row.is_otel === 1;
    else addStoredSum(trace, row as StoredSumRow & Partial<OtelSumRow>);
  }
  return traces;
}

function emptyTrace(): Trace {
  const counts = { roots: 0, calls: 0, keys: undefined, needsTreeWalk: false, needsRules: false };
  return {
    ...counts,
    ...{
      isRolledUp: false,
      isUnordered: false,
      isOtel: false,
      needsOtelRule: false,
      isLarge: false,
    },
  };
}

function addStoredSum(trace: Trace, row: StoredSumRow & Partial<OtelSumRow>): void {
  trace.needsRules ||= needsRules(row);
  trace.isRolledUp ||= (row.usage_modes & 1) !== 0;
  trace.isOtel ||= (row.usage_modes & 2) !== 0;
  trace.isUnordered ||= row.is_unordered === 1;
  trace.needsOtelRule ||= row.needs_rule === 1;
  trace.isLarge ||= row.is_large === 1;
  if (row.keys !== undefined) trace.keys = Number(row.keys);
}

function chooseNext(
  statement: FlatSum,
  isExplained: boolean,
  { is_rolled_up }: LocatedCall,
  trace: Trace | undefined,
): UsageStatement | null {
  if (trace === undefined) return chooseTreeWalk(isExplained);
  if (trace.isLarge) return 'usage_flat_sum_otel';
  if (trace.isOtel) return chooseNextOtel(statement, isExplained, is_rolled_up === 1, trace);
  if (!isTree(trace)) {
    const mustCount = trace.isRolledUp || is_rolled_up === 1 || trace.needsRules;
    const isCounted = statement === 'usage_flat_sum_counted';
    return chooseTreeWalk(isExplained || mustCount || isCounted);
  }
  if (statement === 'usage_flat_sum_counted') return null;
  if (trace.needsRules) return 'usage_flat_sum_counted';
  if (trace.isRolledUp) return chooseRolledUp(isExplained);
  return trace.isUnordered ? 'usage_flat_sum' : null;
}

function chooseNextOtel(
  statement: FlatSum,
  isExplained: boolean,
  hasRolledUpRoot: boolean,
  trace: Trace,
): UsageStatement | null {
  const mustCount = trace.isRolledUp || hasRolledUpRoot || trace.needsRules;
  const treeWalk = chooseOtelTreeWalk(isExplained || mustCount);
  if (!isTree(trace) || mustCount || statement === 'usage_flat_sum_counted') return treeWalk;
  if (statement !== 'usage_flat_sum_otel' && statement !== 'usage_flat_sum_repeated') {
    return chooseOtelFlatSum(isExplained);
  }
  return trace.needsOtelRule ? treeWalk : null;
}

/** Whether all calls of the trace descend from its single root. The parent of the root is 0, which is no call's key. */
function isTree({ roots, calls, keys, needsTreeWalk }: Trace): boolean {
  return !needsTreeWalk && roots === 1 && (keys === undefined || keys === calls + 1);
}
