import { noBoundaries } from '../../../src/prices/snapshot/price-level.ts';
import { readRulesVersion } from '../../../src/rollups/rules-version.ts';

const noFilter = {
  op_names: [],
  op_name_prefixes: [],
  thread_ids: [],
  wb_user_ids: [],
  trace_roots_only: false,
  is_located: true,
  ...{ has_call_ids: false, call_ids: [], call_traces: [] },
  ...{ has_parent_ids: false, parent_ids: [], parent_traces: [] },
};

function toUs(time: string): bigint {
  return BigInt(Date.parse(time)) * 1_000n;
}

/** Parameters of stats_traces.sql: calls of 31 January 2026, without a filter. */
export function statsTraceParameters(project_id: string) {
  const [start_us, end_us] = [toUs('2026-01-31T00:00:00Z'), toUs('2026-02-01T00:00:00Z')];
  const traces = { has_trace_ids: false, trace_ids: [] };
  return { ...noFilter, ...traces, project_id, start_us, end_us, max_calls: 1_000 };
}

/** Parameters of stats_calls.sql: one bucket, without groups. */
export function statsCallParameters(project_id: string) {
  const { max_calls: _, ...rest } = statsTraceParameters(project_id);
  const groups = { bucket_starts: [rest.start_us], group_1: '', group_2: '' };
  return { ...rest, ...groups, with_latencies: false };
}

/** Parameters of stats_usage.sql and stats_usage_otel.sql. */
export function statsUsageParameters(project_id: string, trace_ids: readonly string[]) {
  const { has_trace_ids: _, with_latencies: __, ...rest } = statsCallParameters(project_id);
  return { ...rest, ...noBoundaries, trace_ids, with_values: false, is_explained: false };
}

/** Parameters of stats_rollups.sql. */
export function statsRollupParameters(project_id: string) {
  const { start_us, end_us, bucket_starts, group_1, group_2 } = statsCallParameters(project_id);
  const { op_names, op_name_prefixes, thread_ids, wb_user_ids } = noFilter;
  return {
    ...{ project_id, start_us, end_us, bucket_starts, group_1, group_2 },
    ...{ op_names, op_name_prefixes, thread_ids, wb_user_ids },
    ...{ has_trace_ids: false, trace_ids: [] },
    ...noBoundaries,
    ...{ rules_version: readRulesVersion(), max_live_traces: 10 },
  };
}
