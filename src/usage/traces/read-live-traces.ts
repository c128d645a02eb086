import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { Reservation } from '../../memory-budget.ts';
import { append, runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import { readUsage } from '../calls-usage.ts';
import { byPrice, type PricedUsage } from '../priced-usage.ts';
import { repairOrphanEnds } from '../query/read-repair.ts';
import { rollUp } from '../roll-up.ts';
import { WindowTooLargeError } from '../stats/sources/live-source.ts';
import type { LocatedCall, UsageRow } from '../query/usage-row.ts';
import { type CallName, readCallNames } from './call-names.ts';
import type { TraceSources } from './list-settled.ts';
import { readWholeTraces } from './read-whole-traces.ts';
import {
  sumTraceUsage,
  toMissingRoot,
  type Trace,
  type TraceRoot,
  type UsageEntry,
} from './trace.ts';
import type { TracesQuery } from './trace-query.ts';

/** How much is read live for one request. */
export interface LiveTraceLimits {
  /** Traces that may have no valid rollup. */
  readonly maxTraces: number;
  /** Calls of those that match. */
  readonly maxCalls: number;
  /** Sums of a top call, model and price. */
  readonly maxSums: number;
  /** Memory of the rows, as the memory budget counts it. */
  readonly maxRowBytes: number;
}

/** A row of live_traces.sql, integers as text. */
interface LiveTraceRow {
  readonly trace_id: string;
  readonly calls: string;
  readonly errors: string;
  readonly unfinished_calls: string;
  readonly unfinished_call_ids: readonly string[];
  readonly user_ids: readonly string[];
  readonly threads: readonly string[];
  readonly tops: readonly (readonly [
    startedUs: string,
    key: string,
    endedUs: string,
    opName: string,
    isRoot: 0 | 1,
    isRolledUp: 0 | 1,
  ])[];
  /** When the root started, or the first call where there is none. */
  readonly first_us: string;
  readonly all_calls: string;
}

/** What a trace is read with. */
interface LiveContext {
  readonly limits: LiveTraceLimits;
  readonly options: Required<ReadOptions>;
  readonly reservation: Reservation;
}

/**
 * Those of some traces that match, with what their top calls used; where that is not what the trace used, with the latter.
 * @throws {WindowTooLargeError} they have more calls than are read
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function readLiveTraces(
  sources: TraceSources,
  query: TracesQuery,
  traceIds: readonly string[],
  context: LiveContext,
): Promise<Trace[]> {
  if (traceIds.length === 0) return [];
  const rows = await readRows(sources, query, traceIds, context);
  if (rows.length === 0) return [];
  const keys = await runInSlices(listTopKeys(rows), context.options.signal);
  const { project_id: projectId } = query.parameters;
  const ids = rows.map(({ trace_id }) => trace_id);
  const names = await readCallNames(sources.clickhouse, projectId, ids, keys, context.options);
  const usages: TopUsages[] = [];
  for (const calls of await runInSlices(locateTops(rows, names), context.options.signal)) {
    usages.push(await readTopUsages(sources, query, calls, context));
  }
  const other = rows.filter((row) => !isSumOfTops(row, usages)).map(({ trace_id }) => trace_id);
  const whole = await readWholeTraces(sources, projectId, other, context.options);
  const used = { names, usages, whole };
  const traces = await runInSlices(toTraces(rows, used), context.options.signal);
  const { models } = query;
  if (models.length === 0) return traces;
  return traces.filter(({ usage }) => usage.models.some((model) => models.includes(model)));
}

async function readRows(
  { clickhouse }: TraceSources,
  { parameters }: TracesQuery,
  traceIds: readonly string[],
  { limits, options }: LiveContext,
): Promise<readonly LiveTraceRow[]> {
  const read = async (): Promise<LiveTraceRow[]> => {
    const all = { ...parameters, trace_ids: traceIds };
    const rows = await clickhouse.read<LiveTraceRow>('live_traces', all, options);
    const calls = BigInt(rows[0]?.all_calls ?? 0);
    if (calls > BigInt(limits.maxCalls)) throw new WindowTooLargeError(calls, limits.maxCalls);
    return rows;
  };
  const rows = await read();
  const unfinished = await runInSlices(listUnfinished(rows), options.signal);
  const { project_id: projectId } = parameters;
  const isRepaired = await repairOrphanEnds(clickhouse, projectId, unfinished, options.signal);
  return isRepaired ? await read() : rows;
}

function* listUnfinished(rows: readonly LiveTraceRow[]): Steps<string[]> {
  const ids: string[] = [];
  for (const { unfinished_call_ids } of rows) yield* append(ids, unfinished_call_ids);
  return ids;
}

function* listTopKeys(rows: readonly LiveTraceRow[]): Steps<string[]> {
  const keys: string[] = [];
  for (const { tops } of rows) {
    for (const [, key] of tops) {
      keys.push(key);
      yield;
    }
  }
  return keys;
}

/**
 * The top calls, so that their usage is that of their trace: an id may be in several. A list has each id once, since
 * usage is answered by id; so there is one list, unless ids are repeated.
 */
function* locateTops(
  rows: readonly LiveTraceRow[],
  names: ReadonlyMap<string, CallName>,
): Steps<LocatedCall[][]> {
  const lists: LocatedCall[][] = [];
  const timesSeen = new Map<string, number>();
  for (const { trace_id, tops } of rows) {
    for (const [, key, , , is_root, is_rolled_up] of tops) {
      yield;
      const call_id = names.get(key)?.id;
      if (call_id === undefined) continue;
      const time = timesSeen.get(call_id) ?? 0;
      timesSeen.set(call_id, time + 1);
      (lists[time] ??= []).push({ call_id, trace_id, is_root, is_rolled_up });
    }
  }
  return lists;
}

/** The usage of top calls. */
interface TopUsages {
  readonly traceIdOf: ReadonlyMap<string, string>;
  /** By trace, how many calls are below top calls; null where usage depends on the top call. */
  readonly callsOf: ReadonlyMap<string, bigint | null>;
  readonly usages: ReadonlyMap<string, ReadonlyMap<string, PricedUsage>>;
}

async function readTopUsages(
  { clickhouse, prices }: TraceSources,
  { parameters }: TracesQuery,
  located: readonly LocatedCall[],
  { limits, options, reservation: request }: LiveContext,
): Promise<TopUsages> {
  const { signal } = options;
  const sources = {
    clickhouse,
    rulesVersion: null,
    prices: { current: () => Promise.reject(new TypeError('No prices were requested')) },
    ...(prices !== null && { prices: { current: () => Promise.resolve(prices) } }),
  };
  const query = {
    project_id: parameters.project_id,
    call_ids: located.map(({ call_id }) => call_id),
    located,
    include_costs: prices !== null,
    is_explained: false,
  };
  const reservation = request.open();
  try {
    const context = { signal, reservation, maxBytes: limits.maxRowBytes };
    const { rows } = await readUsage(sources, query, context);
    const { usages } = await runInSlices(rollUp(rows, byPrice, limits.maxSums), signal);
    const traceIdOf = new Map(located.map((call) => [call.call_id, call.trace_id]));
    const callsOf = await runInSlices(countCalls(rows, traceIdOf), signal);
    return { usages, traceIdOf, callsOf };
  } finally {
    reservation.release();
  }
}

function* countCalls(
  rows: readonly UsageRow[],
  traceIdOf: TopUsages['traceIdOf'],
): Steps<TopUsages['callsOf']> {
  const callsOf = new Map<string, bigint | null>();
  for (const { call_id, calls, condition } of rows) {
    yield;
    const traceId = traceIdOf.get(call_id) ?? '';
    const before = callsOf.get(traceId) ?? 0n;
    const isKnown = condition === null && callsOf.get(traceId) !== null;
    callsOf.set(traceId, isKnown ? before + BigInt(calls) : null);
  }
  return callsOf;
}

/** Not where the spans of a response are below several top calls, nor where calls form a cycle, which is below none. */
function isSumOfTops({ trace_id, calls }: LiveTraceRow, usages: readonly TopUsages[]): boolean {
  // Of top calls in several lists, no statement has compared the spans.
  const [counts, ...others] = usages.filter(({ callsOf }) => callsOf.has(trace_id));
  return others.length === 0 && counts?.callsOf.get(trace_id) === BigInt(calls);
}

/** What traces are made of. */
interface TraceUsages {
  readonly names: ReadonlyMap<string, CallName>;
  readonly usages: readonly TopUsages[];
  /** Of the traces that are not the sum of their top calls. */
  readonly whole: ReadonlyMap<string, readonly UsageEntry[]>;
}

function* toTraces(
  rows: readonly LiveTraceRow[],
  { names, usages, whole }: TraceUsages,
): Steps<Trace[]> {
  const traces: Trace[] = [];
  for (const row of rows) {
    yield;
    const root = toRoot(row, names);
    if (root === undefined) continue;
    const ofTops = row.tops.flatMap(([, key]) =>
      findUsage(usages, row.trace_id, names.get(key)?.id ?? ''),
    );
    traces.push({
      traceId: row.trace_id,
      root,
      calls: BigInt(row.calls),
      errors: BigInt(row.errors),
      unfinishedCalls: BigInt(row.unfinished_calls),
      userIds: row.user_ids,
      threadIds: row.threads,
      usage: sumTraceUsage(whole.get(row.trace_id) ?? ofTops),
      isSettled: false,
    });
  }
  return traces;
}

/** Undefined for a root that was deleted meanwhile. */
function toRoot(
  { tops: [root], first_us }: LiveTraceRow,
  names: TraceUsages['names'],
): TraceRoot | undefined {
  if (root === undefined) return toMissingRoot(BigInt(first_us));
  const [startedUs, key, endedUs, opName] = root;
  const name = names.get(key);
  return name && { ...name, opName, startedUs: BigInt(startedUs), endedUs: BigInt(endedUs) };
}

function findUsage(lists: readonly TopUsages[], traceId: string, id: string): PricedUsage[] {
  const list = lists.find(({ traceIdOf }) => traceIdOf.get(id) === traceId);
  return [...(list?.usages.get(id)?.values() ?? [])];
}
