import { anyTime } from '../../../src/usage/lists/time-query.ts';
import { statsTraceParameters } from './stats-parameters.ts';

/** Parameters of count_calls.sql: all calls of a project. */
export function countParameters(project_id: string) {
  const { start_us: _, end_us: __, ...filter } = statsTraceParameters(project_id);
  const times = {
    has_times: false,
    ...{ start_from: [anyTime.start.from], start_to: [anyTime.start.to], states: [0] },
    ...{ end_from: [anyTime.end.from], end_to: [anyTime.end.to] },
  };
  return { ...filter, ...times, wb_run_ids: [], turn_ids: [] };
}

/** Parameters of list_calls.sql: the first calls of a project by start. */
export function listParameters(project_id: string) {
  const place = { is_continued: false, after_us: 0, after_trace: '', after_key: '0', offset: 0 };
  return { ...countParameters(project_id), ...place, by_end: false, direction: 1 };
}
