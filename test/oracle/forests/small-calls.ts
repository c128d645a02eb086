/** Parts of small calls, for tests that say by hand what they send. */
import type { Part, PlannedUsageRequest } from './plan-forest.ts';
import { toObject } from '../json.ts';

export interface SmallCall {
  readonly id: string;
  readonly parent?: string;
  /** Prompt tokens that the call stores; a call without them never ends. */
  readonly tokens?: number;
  /** Sent by an SDK that adds the usage of calls below. */
  readonly isRolledUp?: boolean;
  readonly channel?: 'apart' | 'apart, end without trace' | 'whole';
}

/** The parts of calls of one trace. */
export function toParts(project: string, calls: readonly SmallCall[]): Part[] {
  return calls.flatMap(({ id, parent, tokens, isRolledUp = false, channel = 'apart' }): Part[] => {
    const startFields = {
      ...{ project_id: project, id, trace_id: 'trace', parent_id: parent, op_name: 'op' },
      ...{ started_at: '2026-01-31T12:00:00Z', inputs: {} },
      attributes: isRolledUp ? { weave: { source: 'js-sdk' } } : {},
    };
    const endFields = {
      ...{ project_id: project, id, ended_at: '2026-01-31T12:00:01Z' },
      summary: { usage: { m: { prompt_tokens: tokens } } },
    };
    const endTrace = channel === 'apart' ? { trace_id: 'trace' } : {};
    const start: Part = { kind: 'start', part: toObject(startFields) };
    if (tokens === undefined) return [start];
    if (channel === 'whole')
      return [{ kind: 'whole', part: toObject({ ...startFields, ...endFields }) }];
    return [start, { kind: 'end', part: toObject({ ...endFields, ...endTrace }) }];
  });
}

/** The question about all of some calls, in this order. */
export function toUsageRequest(project: string, calls: readonly SmallCall[]): PlannedUsageRequest {
  return { project, callIds: calls.map(({ id }) => id), includeCosts: true, limit: 'default' };
}
