/** Parts of calls that a test lists by hand. */
import type { Part, PlannedUsageRequest } from './plan-forest.ts';
import { toObject } from '../json.ts';

export interface SmallCall {
  readonly id: string;
  readonly parent?: string;
  /** Prompt tokens in the call's summary; a call without them has no end. */
  readonly tokens?: number;
  /** Whether an SDK has added the usage of the call's children. */
  readonly isRolledUp?: boolean;
  readonly form?: 'start and end' | 'start and orphan end' | 'complete';
}

/** The parts of calls of one trace. */
export function toParts(project: string, calls: readonly SmallCall[]): Part[] {
  return calls.flatMap(
    ({ id, parent, tokens, isRolledUp = false, form = 'start and end' }): Part[] => {
      const startFields = {
        ...{ project_id: project, id, trace_id: 'trace', parent_id: parent, op_name: 'op' },
        ...{ started_at: '2026-01-31T12:00:00Z', inputs: {} },
        attributes: isRolledUp ? { weave: { source: 'js-sdk' } } : {},
      };
      const endFields = {
        ...{ project_id: project, id, ended_at: '2026-01-31T12:00:01Z' },
        summary: { usage: { m: { prompt_tokens: tokens } } },
      };
      const endTrace = form === 'start and end' ? { trace_id: 'trace' } : {};
      const start: Part = { kind: 'start', part: toObject(startFields) };
      if (tokens === undefined) return [start];
      if (form === 'complete')
        return [{ kind: 'whole', part: toObject({ ...startFields, ...endFields }) }];
      return [start, { kind: 'end', part: toObject({ ...endFields, ...endTrace }) }];
    },
  );
}

/** A usage request for these calls in this order, with costs. */
export function toUsageRequest(project: string, calls: readonly SmallCall[]): PlannedUsageRequest {
  return { project, callIds: calls.map(({ id }) => id), includeCosts: true, limit: 'default' };
}
