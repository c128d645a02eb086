import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import { noBoundaries } from '../../prices/snapshot/price-level.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import { sortInSteps } from '../../slices/sort-in-steps.ts';
import type { PricedRow } from '../query/usage-row.ts';
import { type CallName, readCallNames } from './call-names.ts';
import type { SettledPosition, TraceSources } from './list-settled.ts';
import { sumTraceUsage, toPosition, toUsageEntry, type Trace, type TraceRoot } from './trace.ts';
import { comparePositions, type TracePosition } from './trace-position.ts';
import type { TracesQuery } from './trace-query.ts';

/** A row of settled_traces.sql, integers as text. */
interface SettledTraceRow {
  readonly trace_id: string;
  readonly calls: string;
  readonly errors: string;
  readonly unfinished_calls: string;
  readonly root_key: string;
  /** Empty if the rollup has no name of the root. */
  readonly id: string;
  readonly display_name: string;
  readonly op_name: string;
  readonly started_us: string;
  readonly ended_us: string;
  readonly wb_user_ids: readonly string[];
  readonly thread_ids: readonly string[];
  readonly sums: readonly PricedRow[];
}

/** The traces of one answer, in order. */
export interface TracePage {
  readonly traces: readonly Trace[];
  /** Of the last trace, if more follow. */
  readonly last: TracePosition | null;
}

/** A trace of the page, before it is read. */
interface PagePosition {
  readonly position: TracePosition;
  readonly source: { readonly live: Trace } | { readonly checksum: string };
}

/**
 * Puts the traces of both kinds into one order, and reads those of the page from their rollups.
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function readPage(
  sources: TraceSources,
  query: TracesQuery,
  settled: readonly SettledPosition[],
  live: readonly Trace[],
  options: Required<ReadOptions>,
): Promise<TracePage> {
  const ordered = await runInSlices(mergePositions(query, settled, live), options.signal);
  const { limit } = query.request;
  const page = ordered.slice(0, limit);
  const last = ordered.length > limit ? (page.at(-1)?.position ?? null) : null;
  const read = await readSettled(sources, query, page, options);
  const traces = page.map(({ position, source }) =>
    'live' in source ? source.live : toReadTrace(read, position.traceId),
  );
  return { traces, last };
}

function* mergePositions(
  { request, after }: TracesQuery,
  settled: readonly SettledPosition[],
  live: readonly Trace[],
): Steps<PagePosition[]> {
  const positions: PagePosition[] = settled.map(([isUnknown, sortValue, traceId, checksum]) => ({
    position: { isUnknown: isUnknown === 1, sortValue: BigInt(sortValue), traceId },
    source: { checksum },
  }));
  for (const trace of live) {
    yield;
    const position = toPosition(trace, request.sort_by);
    if (after !== null && comparePositions(position, after) <= 0) continue;
    positions.push({ position, source: { live: trace } });
  }
  return yield* sortInSteps(positions, (a, b) => comparePositions(a.position, b.position));
}

async function readSettled(
  { clickhouse, prices, rulesVersion }: TraceSources,
  { parameters: { project_id } }: TracesQuery,
  page: readonly PagePosition[],
  options: Required<ReadOptions>,
): Promise<ReadonlyMap<string, Trace>> {
  const wanted = page.flatMap(({ position, source }) =>
    'checksum' in source ? [{ traceId: position.traceId, checksum: source.checksum }] : [],
  );
  if (wanted.length === 0) return new Map();
  const trace_ids = wanted.map(({ traceId }) => traceId);
  const parameters = {
    ...{ project_id, trace_ids, rules_version: rulesVersion },
    checksums: wanted.map(({ checksum }) => checksum),
    ...(prices?.boundaries ?? noBoundaries),
  };
  const rows = await clickhouse.read<SettledTraceRow>('settled_traces', parameters, options);
  const unnamed = rows.filter(({ id }) => id === '');
  const names = await readCallNames(
    clickhouse,
    project_id,
    unnamed.map(({ trace_id }) => trace_id),
    unnamed.map(({ root_key }) => root_key),
    options,
  );
  return new Map(rows.map((row) => [row.trace_id, toSettledTrace(row, names, prices)]));
}

function toSettledTrace(
  row: SettledTraceRow,
  names: ReadonlyMap<string, CallName>,
  prices: TraceSources['prices'],
): Trace {
  const { id, displayName } = toRootName(row, names);
  return {
    traceId: row.trace_id,
    root: {
      ...{ id, displayName, opName: row.op_name },
      startedUs: BigInt(row.started_us),
      endedUs: BigInt(row.ended_us),
    },
    calls: BigInt(row.calls),
    errors: BigInt(row.errors),
    unfinishedCalls: BigInt(row.unfinished_calls),
    userIds: row.wb_user_ids,
    threadIds: row.thread_ids,
    usage: sumTraceUsage(row.sums.map((sum) => toUsageEntry(sum, prices))),
    isSettled: true,
  };
}

function toRootName(
  { id, display_name: displayName, root_key }: SettledTraceRow,
  names: ReadonlyMap<string, CallName>,
): Pick<TraceRoot, 'id' | 'displayName'> {
  return id === '' ? (names.get(root_key) ?? { id: null, displayName: '' }) : { id, displayName };
}

function toReadTrace(read: ReadonlyMap<string, Trace>, traceId: string): Trace {
  const trace = read.get(traceId);
  if (trace === undefined) throw new Error(`The rollup of ${traceId} has disappeared`);
  return trace;
}
