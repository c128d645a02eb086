import { type Money, toNumber } from '../../money.ts';
import { toTime } from '../traces/traces-json.ts';
import type { Fragments } from '../usage-json.ts';

/** A project of a list. */
export interface Project {
  readonly id: string;
  readonly calls: string;
  readonly traces: string;
  /** Microseconds since 1970; null without calls. */
  readonly lastStartedUs: bigint | null;
  /** Of the last 24 hours. */
  readonly cost: Money | null;
  readonly isLowerBound: boolean;
}

/** The text of a `ProjectsRes`. */
export function* toProjectsFragments(projects: readonly Project[], hasMore: boolean): Fragments {
  yield '{"projects":[';
  let separator = '';
  for (const { id, calls, traces, lastStartedUs, cost, isLowerBound } of projects) {
    const last = lastStartedUs === null ? 'null' : `"${toTime(lastStartedUs)}"`;
    yield (
      `${separator}{"project_id":${JSON.stringify(id)},"call_count":${calls}` +
      `,"trace_count":${traces},"last_call_at":${last}` +
      `,"cost_24h":${cost === null ? 'null' : JSON.stringify(toNumber(cost))}` +
      `,"is_lower_bound":${isLowerBound}}`
    );
    separator = ',';
  }
  const last = hasMore ? projects.at(-1) : undefined;
  yield `],"next_cursor":${last === undefined ? 'null' : JSON.stringify(last.id)}}`;
}
