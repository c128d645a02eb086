import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import type { CallLimit, QueriedRows, UsageQuery, UsageSources } from '../query/query-usage.ts';
import type { LocatedCall } from '../query/usage-row.ts';
import { LimitExceededError } from './limit-exceeded-error.ts';

/** The calls that a query touches. */
export interface TouchedCalls {
  readonly sources: Pick<UsageSources, 'clickhouse' | 'rulesVersion'>;
  readonly query: UsageQuery;
  /** What rollups have answered. */
  readonly settled: readonly QueriedRows[];
  /** The calls that are queried live. */
  readonly live: readonly LocatedCall[];
  readonly options: ReadOptions & { readonly signal: AbortSignal };
}

/** A row of count_stored_rows.sql. */
interface StoredRows {
  readonly trace_id: string;
  readonly rows: string;
  readonly root_id: string;
  readonly calls: string | null;
}

/** A row of count_flat_traces.sql. */
interface FlatTrace {
  readonly trace_id: string;
  readonly calls: string;
}

/**
 * Counts the calls that each request of a query touches, as far as that is possible without reading their usage: those of
 * whole traces. Of others the answer finds out.
 * @throws {LimitExceededError} a request touches more calls than its limit; the number is exact
 * @throws as `ClickHouse.read`
 */
export async function refuseTooManyCalls(touched: TouchedCalls): Promise<void> {
  const { sources, query, live, options } = touched;
  const { clickhouse, rulesVersion } = sources;
  const { project_id, limits = [] } = query;
  const requested = await runInSlices(toRequested(touched), options.signal);
  const trace_ids = [...new Set(live.map(({ trace_id }) => trace_id))];
  const parameters = { project_id, trace_ids, rules_version: rulesVersion ?? '0' };
  const stored = await clickhouse.read<StoredRows>('count_stored_rows', parameters, options);
  const atMost = new Map(
    stored.map(({ trace_id, rows }) => [trace_id, { rootId: null, calls: rows }]),
  );
  const suspects = await runInSlices(findSuspects(limits, requested, atMost), options.signal);
  if (suspects.length === 0) return;
  const exact = new Map<string, TraceCount>();
  for (const { trace_id, root_id, calls } of stored) {
    if (calls !== null) exact.set(trace_id, { rootId: root_id, calls });
  }
  const flat = await clickhouse.read<FlatTrace>(
    'count_flat_traces',
    { project_id, trace_ids: trace_ids.filter((id) => !exact.has(id)) },
    options,
  );
  for (const { trace_id, calls } of flat) exact.set(trace_id, { rootId: null, calls });
  for (const { callIds, limit } of suspects) {
    const calls = await runInSlices(countCalls(callIds, requested, exact, true), options.signal);
    if (calls !== null && calls > BigInt(limit)) throw new LimitExceededError(calls, limit);
  }
}

/** The requests that may touch too many calls. */
function* findSuspects(
  limits: readonly CallLimit[],
  requested: RequestedCalls,
  atMost: ReadonlyMap<string, TraceCount>,
): Steps<CallLimit[]> {
  const suspects: CallLimit[] = [];
  for (const each of limits) {
    const calls = yield* countCalls(each.callIds, requested, atMost, false);
    if (calls !== null && calls > BigInt(each.limit)) suspects.push(each);
  }
  return suspects;
}

/** The calls of a trace. */
interface TraceCount {
  /** The call that touches so many; null if any root does. */
  readonly rootId: string | null;
  readonly calls: string;
}

interface RequestedCalls {
  /** Of each call that rollups have answered, how many calls it touches. */
  readonly settled: ReadonlyMap<string, bigint>;
  readonly live: ReadonlyMap<string, LocatedCall>;
}

function* toRequested({ settled, live }: TouchedCalls): Steps<RequestedCalls> {
  const calls = new Map<string, bigint>();
  for (const { rows } of settled) {
    for (const row of rows) {
      calls.set(row.call_id, (calls.get(row.call_id) ?? 0n) + BigInt(row.calls));
      yield;
    }
  }
  return { settled: calls, live: new Map(live.map((call) => [call.call_id, call])) };
}

/**
 * @param counts of each trace, where they are known
 * @param isExact whether a call that touches so many must be requested of each trace
 * @returns null if a number is not known
 */
function* countCalls(
  callIds: readonly string[],
  { settled, live }: RequestedCalls,
  counts: ReadonlyMap<string, TraceCount>,
  isExact: boolean,
): Steps<bigint | null> {
  let calls = 0n;
  const hasRoot = new Map<string, boolean>();
  for (const id of callIds) {
    yield;
    calls += settled.get(id) ?? 0n;
    const call = live.get(id);
    if (call === undefined) continue;
    const { trace_id, is_root } = call;
    const isRoot = is_root === 1 && (counts.get(trace_id)?.rootId ?? id) === id;
    hasRoot.set(trace_id, isRoot || hasRoot.get(trace_id) === true);
  }
  for (const [traceId, isWhole] of hasRoot) {
    yield;
    const count = counts.get(traceId);
    if (count === undefined || (isExact && !isWhole)) return null;
    calls += BigInt(count.calls);
  }
  return calls;
}
