/** @import { ApiRequest } from './api.js' */
/** @import { View } from './address.js' */
/** @import { TimeWindow } from './time-window.js' */

/**
 * @typedef {object} TraceSummary
 * @property {string} trace_id
 * @property {{ id: string | null, op_name: string | null, display_name: string | null, started_at: string, ended_at: string | null }} root
 * @property {number | null} duration_ms
 * @property {number} call_count
 * @property {number} error_count
 * @property {number} unfinished_count
 * @property {string[]} wb_user_ids
 * @property {string[]} models
 * @property {number} total_tokens
 * @property {number} requests
 * @property {number | null} cost
 * @property {boolean} is_lower_bound
 * @property {string[]} unpriced_models
 */

/** @typedef {{ p50: number | null, p95: number | null, p99: number | null }} Percentiles */

/**
 * @typedef {object} TracesAnswer
 * @property {TraceSummary[]} traces
 * @property {string | null} next_cursor
 * @property {{ traces: number, calls: number, errors: number, unfinished: number, cost: number | null,
 *   is_lower_bound: boolean, cost_percentiles: Percentiles, duration_ms_percentiles: Percentiles } | null} [totals]
 */

/**
 * @param {string} projectId
 * @param {TimeWindow} window
 * @param {object} options
 * @param {number} options.limit
 * @param {Pick<View, 'sort' | 'direction' | 'search' | 'model' | 'user' | 'only'>} [options.view] all traces without one
 * @param {string} [options.cursor] where the page before ended
 * @returns {ApiRequest}
 */
export function toTracesRequest(projectId, { start, end }, { limit, view, cursor }) {
  return {
    method: 'POST',
    path: '/traces/query',
    body: {
      project_id: projectId,
      start: start.toISOString(),
      end: end.toISOString(),
      limit,
      ...(view === undefined
        ? {}
        : { filter: toFilter(view), sort_by: { field: view.sort, direction: view.direction } }),
      ...(cursor === undefined ? { include_totals: true } : { cursor, include_totals: false }),
      include_costs: true,
    },
  };
}

/** @param {Pick<View, 'search' | 'model' | 'user' | 'only'>} view */
function toFilter({ search, model, user, only }) {
  return {
    ...(search === '' ? {} : { search }),
    ...(model === '' ? {} : { models: [model] }),
    ...(user === '' ? {} : { wb_user_ids: [user] }),
    ...(only === 'errors' ? { has_error: true } : {}),
    ...(only === 'running' ? { is_running: true } : {}),
  };
}
