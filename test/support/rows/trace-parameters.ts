import { readRulesVersion } from '../../../src/rollups/rules-version.ts';
import { noBoundaries } from '../../../src/prices/snapshot/price-level.ts';

const rules_version = readRulesVersion();

/** The parameters that choose all traces of a project which started in 2026. */
export function windowParameters(project_id: string) {
  const [start_us, end_us] = ['2026-01-01', '2027-01-01'].map(
    (day) => BigInt(Date.parse(day)) * 1_000n,
  );
  return { project_id, start_us, end_us };
}

/** Those of a statement that reads rollups of these traces. */
export function rollupParameters(project_id: string) {
  return { ...windowParameters(project_id), rules_version };
}

/** A filter of all traces. */
export const noFilter = {
  ...{ op_names: [], op_name_prefixes: [], wb_user_ids: [], thread_ids: [], search: '' },
  ...{ has_error_filter: false, has_error: false, is_running_filter: false, is_running: false },
};

/** The parameters of list_traces.sql for the first traces of a project by start, without prices. */
export function listTracesParameters(project_id: string) {
  return {
    ...{ ...rollupParameters(project_id), ...noFilter, ...noBoundaries, models: [] },
    ...{ has_trace_ids: false, trace_ids: [], max_live: 10, limit: 10, with_sums: true },
    ...{ sort_by: 'started_at', is_descending: false },
    ...{ after_unknown: 0, after_value: String(-(2n ** 255n)), after_trace: '' },
    ...{ class_models: [], class_service_tiers: [], class_periods: [] },
    ...{ class_prompt_sizes: [], class_minutes: [], class_prices: [] },
  };
}
