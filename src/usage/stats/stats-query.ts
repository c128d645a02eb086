import { toUnixMicroseconds } from '../../clickhouse/client/date-time64.ts';
import type { CallsFilter, CallStatsReq } from '../../openapi-types.ts';
import { toEffectiveDate } from '../../prices/effective-date.ts';
import type { Steps } from '../../slices/run-in-slices.ts';
import type { LocatedCall } from '../query/usage-row.ts';
import {
  chooseBucketSize,
  type TimeBucket,
  type TimeWindow,
  toTimeBuckets,
} from './time-buckets.ts';

/** What rows of statistics are read: usage and calls that started in a window, by bucket and group. */
export interface StatsQuery {
  readonly projectId: string;
  readonly window: TimeWindow;
  /** Microseconds since 1970, ascending; the first is not after the start of the window. */
  readonly bucketStarts: readonly bigint[];
  /** Columns of calls, beside the model; at most two. */
  readonly groupColumns: readonly GroupColumn[];
  readonly filter: CallsFilter;
  /** Only these calls, whose traces are known; the filter then names neither calls nor traces. */
  readonly located?: readonly Pick<LocatedCall, 'trace_id' | 'call_id'>[];
}

/** By `key`, each call is a group of its own. By it and `trace_id`, only calls themselves are read, no rollups. */
type GroupColumn = 'op_name' | 'wb_user_id' | 'thread_id' | 'key' | 'trace_id';

/** What of a request decides the rows, and the buckets of its answer. */
export interface StatsPlan {
  readonly query: StatsQuery;
  readonly sizeS: number;
  readonly buckets: readonly TimeBucket[];
  readonly end: string;
}

/**
 * @param now ISO 8601, for a request without an end
 * @throws {TooManyBucketsError}
 */
export function* toStatsPlan(request: CallStatsReq, now: string): Steps<StatsPlan> {
  const { window, end } = toWindow(request, now);
  const sizeS = request.granularity ?? chooseBucketSize(window);
  const buckets = yield* toTimeBuckets(window, sizeS, request.timezone);
  const groups = request.group_by ?? ['model'];
  const query = {
    projectId: request.project_id,
    window,
    bucketStarts: buckets.map(({ startS }) => BigInt(startS) * 1_000_000n),
    groupColumns: groups.filter((name) => name !== 'model'),
    filter: request.filter ?? {},
  };
  return { query, sizeS, buckets, end };
}

/** The window of a request whose times are valid, and its end as text; without one it is now. */
export function toWindow(
  { start, end: requestedEnd }: Pick<CallStatsReq, 'start' | 'end'>,
  now: string,
): { readonly window: TimeWindow; readonly end: string } {
  const end = requestedEnd ?? now;
  return { window: { startUs: toMicroseconds(start), endUs: toMicroseconds(end) }, end };
}

/** @param time valid by the schema of requests: a date, or a time, which is UTC unless it has an offset */
function toMicroseconds(time: string): bigint {
  return toUnixMicroseconds(toEffectiveDate(time) ?? '');
}
