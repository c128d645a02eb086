import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { CallsFilter } from '../../openapi-types.ts';
import { locateCalls } from '../query/query-usage.ts';
import type { StatsQuery } from './stats-query.ts';

/** Parameters of the fragments stats_filter.sql and from_stats_traces.sql. */
export interface FilterParameters {
  readonly has_trace_ids: boolean;
  readonly trace_ids: readonly string[];
  readonly op_names: readonly string[];
  readonly op_name_prefixes: readonly string[];
  readonly thread_ids: readonly string[];
  readonly wb_user_ids: readonly string[];
  readonly trace_roots_only: boolean;
  /** Whether each call and parent is in the trace at its index, or may be in any of the traces. */
  readonly is_located: boolean;
  readonly has_call_ids: boolean;
  readonly call_ids: readonly string[];
  readonly call_traces: readonly string[];
  readonly has_parent_ids: boolean;
  readonly parent_ids: readonly string[];
  readonly parent_traces: readonly string[];
}

/**
 * Finds the traces in which the calls and parents of a filter are; those that do not exist match nothing. They are those of
 * the named traces, if the filter names some: an id may be in several.
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function locateFilter(
  clickhouse: ClickHouse,
  { projectId, filter, located }: Pick<StatsQuery, 'projectId' | 'filter' | 'located'>,
  options: ReadOptions,
): Promise<FilterParameters> {
  const shared = { ...toNameFilter(filter), trace_roots_only: filter.trace_roots_only ?? false };
  const traceIds = distinct(filter.trace_ids);
  if (traceIds.length > 0) return { ...shared, ...toNamedTraces(traceIds, filter) };
  const locate = async (ids: readonly string[]) => {
    if (ids.length === 0) return [];
    const query = { project_id: projectId, call_ids: ids };
    return await locateCalls(clickhouse, query, options);
  };
  const [callIds, parentIds] = [distinct(filter.call_ids), distinct(filter.parent_ids)];
  const calls = located ?? (await locate(callIds));
  const parents = await locate(parentIds);
  const hasCalls = located !== undefined || callIds.length > 0;
  const traceSets = [
    ...(hasCalls ? [calls.map((call) => call.trace_id)] : []),
    ...(parentIds.length > 0 ? [parents.map((call) => call.trace_id)] : []),
  ];
  return {
    ...{ ...shared, is_located: true },
    has_trace_ids: traceSets.length > 0,
    trace_ids: intersect(traceSets),
    has_call_ids: hasCalls,
    call_ids: calls.map((call) => call.call_id),
    call_traces: calls.map((call) => call.trace_id),
    has_parent_ids: parentIds.length > 0,
    parent_ids: parents.map((call) => call.call_id),
    parent_traces: parents.map((call) => call.trace_id),
  };
}

function toNamedTraces(traceIds: readonly string[], filter: CallsFilter) {
  const [call_ids, parent_ids] = [distinct(filter.call_ids), distinct(filter.parent_ids)];
  return {
    ...{ is_located: false, has_trace_ids: true, trace_ids: traceIds },
    ...{ has_call_ids: call_ids.length > 0, call_ids, call_traces: traceIds },
    ...{ has_parent_ids: parent_ids.length > 0, parent_ids, parent_traces: traceIds },
  };
}

function distinct(values: readonly string[] | null | undefined): string[] {
  return [...new Set(values)];
}

function intersect([first = [], ...others]: readonly (readonly string[])[]): string[] {
  return distinct(first).filter((id) => others.every((ids) => ids.includes(id)));
}

/** Ends the name of an operation of which all versions are meant, as in Weave. */
const versions = ':*';

/** Parameters of the fragment stats_names.sql. */
export function toNameFilter(filter: CallsFilter) {
  const names = distinct(filter.op_names);
  const [exact, prefixes] = [false, true].map((isPrefix) =>
    names.filter((name) => name.endsWith(versions) === isPrefix),
  );
  return {
    op_names: exact ?? [],
    op_name_prefixes: (prefixes ?? []).map((name) => name.slice(0, -1)),
    thread_ids: distinct(filter.thread_ids),
    wb_user_ids: distinct(filter.wb_user_ids),
  };
}
