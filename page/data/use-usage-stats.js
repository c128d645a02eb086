import { useMemo } from '../preact.js';
import { toWiderBuckets } from './time-window.js';
import { toStatsRequest, toUsageStats } from './usage-stats.js';
import { useQuery } from './use-query.js';

/** @import { CallStatsRes } from '../../src/openapi-types.ts' */
/** @import { ApiError, ApiRequest } from './api.js' */
/** @import { Query } from './use-query.js' */
/** @import { TimeWindow } from './time-window.js' */
/** @import { Grouping, UsageStats } from './usage-stats.js' */

/**
 * @typedef {object} StatsQuery
 * @property {ApiRequest | undefined} request
 * @property {Query<CallStatsRes>} query
 * @property {UsageStats | undefined} stats of the request before while another is read
 * @property {number} tooManyGroups how many groups kept the buckets from being shorter; 0 for none
 */

/**
 * Reads statistics by model, operation or user; in longer buckets where the service refuses so many groups in short ones.
 * @param {string} project
 * @param {TimeWindow} window
 * @param {Grouping | undefined} by nothing is read without one
 * @returns {StatsQuery}
 */
export function useUsageStats(project, window, by) {
  const read = /** @type {typeof useQuery<CallStatsRes>} */ (useQuery);
  const request = by === undefined ? undefined : toStatsRequest(project, window, by);
  const short = read(request);
  const { groups, maximum } = toRefusal(short.error);
  const isRefused = by !== undefined && groups > 0;
  const wider = toWiderBuckets(window, maximum / groups);
  const widerRequest = isRefused ? toStatsRequest(project, wider, by) : undefined;
  const long = read(widerRequest);
  const query = isRefused ? long : short;
  const { data } = query;
  const stats = useMemo(
    () => (data === undefined || !isGroupedBy(data, by) ? undefined : toUsageStats(data, by)),
    [data, by],
  );
  return isRefused
    ? { request: widerRequest, query, stats, tooManyGroups: groups }
    : { request, query, stats, tooManyGroups: 0 };
}

/**
 * Not while the answer is that of the grouping before.
 * @param {CallStatsRes} answer
 * @param {Grouping | undefined} by
 * @returns {by is Grouping}
 */
function isGroupedBy({ usage_buckets: [first] }, by) {
  return by !== undefined && (first === undefined || by in first);
}

/** @param {ApiError | undefined} error */
function toRefusal(error) {
  const pattern = /buckets of (\d+) groups are more than (\d+)/;
  const [, groups = 0, maximum = 1] = pattern.exec(error?.message ?? '') ?? [];
  return { groups: Number(groups), maximum: Number(maximum) };
}
