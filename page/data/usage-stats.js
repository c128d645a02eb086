import { timeZone } from './time-window.js';

/** @import { ApiRequest } from './api.js' */
/** @import { CallStatsRes } from '../../src/openapi-types.ts' */
/** @import { TimeWindow } from './time-window.js' */

/** @typedef {'model' | 'op_name' | 'wb_user_id'} Grouping */

/**
 * What a model, operation or user spent.
 * @typedef {object} UsageSum
 * @property {number} requests
 * @property {number} inputTokens
 * @property {number} outputTokens
 * @property {number} cachedTokens
 * @property {number} tokens
 * @property {number | null} costUsd null when nothing of it has a price
 */

/**
 * @typedef {object} UsageGroup
 * @property {string} name
 * @property {UsageSum} sum
 * @property {number[]} costs by bucket; 0 where nothing has a price
 * @property {number[]} tokens by bucket
 */

/**
 * @typedef {object} UsageStats
 * @property {Date[]} buckets
 * @property {number} granularityS
 * @property {UsageGroup[]} groups most expensive first
 * @property {UsageSum} total
 * @property {CallStatsRes['unpriced']} unpriced
 * @property {number} calls
 * @property {number} errors
 */

const metrics = [
  'requests',
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'total_tokens',
  'total_cost',
].map((metric) => ({ metric }));

/**
 * @param {string} projectId
 * @param {TimeWindow} window
 * @param {Grouping} by
 * @returns {ApiRequest}
 */
export function toStatsRequest(projectId, { start, end, granularityS }, by) {
  const body = {
    project_id: projectId,
    start: start.toISOString(),
    end: end.toISOString(),
    granularity: granularityS,
    timezone: timeZone,
    group_by: [by],
    usage_metrics: metrics,
    call_metrics: by === 'model' ? [{ metric: 'call_count' }, { metric: 'error_count' }] : [],
  };
  return { method: 'POST', path: '/calls/stats', body };
}

/**
 * @param {CallStatsRes} answer to {@link toStatsRequest}
 * @param {Grouping} by
 * @returns {UsageStats}
 */
export function toUsageStats(answer, by) {
  const rows = answer.usage_buckets;
  const stamps = [
    ...new Set([...rows, ...answer.call_buckets].map(({ timestamp }) => String(timestamp))),
  ];
  stamps.sort((a, b) => toDate(a).getTime() - toDate(b).getTime());
  const indexOf = new Map(stamps.map((stamp, index) => [stamp, index]));
  /** @type {Map<string, UsageGroup>} */
  const groups = new Map();
  for (const row of rows) {
    const name = /** @type {string | null} */ (row[by]) ?? '';
    const group = groups.get(name) ?? newGroup(name, stamps.length);
    groups.set(name, group);
    addRow(group, row, indexOf.get(String(row.timestamp)) ?? 0);
  }
  const sorted = [...groups.values()].filter(({ sum }) => sum.requests + sum.tokens > 0);
  sorted.sort((a, b) => (b.sum.costUsd ?? 0) - (a.sum.costUsd ?? 0) || b.sum.tokens - a.sum.tokens);
  const countOf = (/** @type {string} */ name) =>
    answer.call_buckets.reduce((sum, row) => sum + Number(row[name] ?? 0), 0);
  return {
    buckets: stamps.map(toDate),
    granularityS: answer.granularity,
    groups: sorted,
    total: sorted.map(({ sum }) => sum).reduce(addSums, newSum()),
    unpriced: answer.unpriced,
    calls: countOf('sum_call_count'),
    errors: countOf('sum_error_count'),
  };
}

/**
 * Timestamps in UTC have no offset.
 * @param {string} stamp
 */
function toDate(stamp) {
  return new Date(/(Z|[+-]\d\d:\d\d)$/.test(stamp) ? stamp : `${stamp}Z`);
}

/** @returns {UsageSum} */
function newSum() {
  return {
    requests: 0,
    inputTokens: 0,
    outputTokens: 0,
    cachedTokens: 0,
    tokens: 0,
    costUsd: null,
  };
}

/**
 * @param {string} name
 * @param {number} buckets
 * @returns {UsageGroup}
 */
function newGroup(name, buckets) {
  const zeros = () => Array.from({ length: buckets }, () => 0);
  return { name, sum: newSum(), costs: zeros(), tokens: zeros() };
}

/**
 * @param {UsageGroup} group
 * @param {CallStatsRes['usage_buckets'][number]} row
 * @param {number} bucket
 */
function addRow(group, row, bucket) {
  const numberOf = (/** @type {string} */ metric) => Number(row[`sum_${metric}`] ?? 0);
  const cost = row.sum_total_cost ?? null;
  const isUsed = numberOf('requests') + numberOf('total_tokens') > 0;
  group.sum = addSums(group.sum, {
    requests: numberOf('requests'),
    inputTokens: numberOf('input_tokens'),
    outputTokens: numberOf('output_tokens'),
    cachedTokens: numberOf('cache_read_input_tokens'),
    tokens: numberOf('total_tokens'),
    // An empty bucket costs 0, also where nothing has a price.
    costUsd: cost === null || !isUsed ? null : Number(cost),
  });
  group.costs[bucket] = Number(cost ?? 0);
  group.tokens[bucket] = numberOf('total_tokens');
}

/**
 * @param {UsageSum} a
 * @param {UsageSum} b
 * @returns {UsageSum}
 */
function addSums(a, b) {
  return {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    tokens: a.tokens + b.tokens,
    costUsd: a.costUsd === null && b.costUsd === null ? null : (a.costUsd ?? 0) + (b.costUsd ?? 0),
  };
}
