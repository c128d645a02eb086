import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { CallsListFilter, CallsQueryStatsReq } from '../../openapi-types.ts';
import { type FilterParameters, locateFilter } from '../stats/stats-filter.ts';
import { anyTime, type TimeRange, toTimeRanges } from './time-query.ts';

/** Which calls a list has. */
export type ListRequest = Pick<CallsQueryStatsReq, 'project_id' | 'filter' | 'query'>;

/** Parameters of the fragment from_listed_calls.sql. */
export interface ListParameters extends FilterParameters {
  readonly project_id: string;
  readonly wb_run_ids: readonly string[];
  readonly turn_ids: readonly string[];
  /** Whether the ranges are not all times. */
  readonly has_times: boolean;
  readonly start_from: readonly bigint[];
  readonly start_to: readonly bigint[];
  readonly states: readonly number[];
  readonly end_from: readonly bigint[];
  readonly end_to: readonly bigint[];
}

/**
 * Finds the traces of the calls and parents that a filter names.
 * @throws {TimeQueryError} the query is not one on times
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function toListParameters(
  clickhouse: ClickHouse,
  { project_id, filter: requested, query }: ListRequest,
  options: ReadOptions,
): Promise<ListParameters> {
  const filter: CallsListFilter = requested ?? {};
  const { wb_run_ids, turn_ids, ...others } = filter;
  const ranges = query === null || query === undefined ? [anyTime] : toTimeRanges(query.$expr);
  return {
    project_id,
    ...(await locateFilter(clickhouse, { projectId: project_id, filter: others }, options)),
    wb_run_ids: wb_run_ids ?? [],
    turn_ids: turn_ids ?? [],
    has_times: query !== null && query !== undefined,
    ...toRangeParameters(ranges),
  };
}

const states = { any: 0, ended: 1, running: 2 } as const;

function toRangeParameters(ranges: readonly TimeRange[]) {
  return {
    start_from: ranges.map(({ start }) => start.from),
    start_to: ranges.map(({ start }) => start.to),
    states: ranges.map(({ state }) => states[state]),
    end_from: ranges.map(({ end }) => end.from),
    end_to: ranges.map(({ end }) => end.to),
  };
}
