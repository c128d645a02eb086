import { toWiderBuckets } from '../data/time-window.js';
import { toStatsRequest } from '../data/usage-stats.js';
import { useQuery } from '../data/use-query.js';

/** @import { ApiError, ApiRequest } from '../data/api.js' */
/** @import { TimeWindow } from '../data/time-window.js' */
/** @import { Query } from '../data/use-query.js' */
/** @import { StatsAnswer } from '../data/usage-stats.js' */

/**
 * Reads statistics by operation or user; in longer buckets where the service refuses so many groups in short ones.
 * @param {string} project
 * @param {TimeWindow} window
 * @param {'model' | 'op_name' | 'wb_user_id'} by nothing is read by model
 * @returns {{ request: ApiRequest | undefined, query: Query<StatsAnswer>, groups: number }} `groups` is 0 in short buckets
 */
export function useGroupedStats(project, window, by) {
  const read = /** @type {typeof useQuery<StatsAnswer>} */ (useQuery);
  const request = by === 'model' ? undefined : toStatsRequest(project, window, by);
  const query = read(request);
  const { groups, maximum } = toRefusal(query.error);
  const isRefused = request !== undefined && groups > 0;
  const wider = toWiderBuckets(window, maximum / groups);
  const widerRequest = isRefused ? toStatsRequest(project, wider, by) : undefined;
  const widerQuery = read(widerRequest);
  return isRefused
    ? { request: widerRequest, query: widerQuery, groups }
    : { request, query, groups: 0 };
}

/** @param {ApiError | undefined} error */
function toRefusal(error) {
  const pattern = /buckets of (\d+) groups are more than (\d+)/;
  const [, groups = 0, maximum = 1] = pattern.exec(error?.message ?? '') ?? [];
  return { groups: Number(groups), maximum: Number(maximum) };
}
