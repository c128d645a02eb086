/** @import { ApiRequest } from './api.js' */
/** @import { View } from './address.js' */
/** @import { TimeWindow } from './time-window.js' */

/** Traces of one answer. */
export const pageSize = 50;

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

/**
 * Whether a view shows some of the traces only.
 * @param {Pick<View, 'search' | 'model' | 'user' | 'only'>} view
 */
export function isFiltered(view) {
  return Object.keys(toFilter(view)).length > 0;
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
