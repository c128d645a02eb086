import type { CallEnd, CallStart, Part } from './part.ts';
import { toDump } from './json-dump.ts';
import { toDateTime64 } from '../clickhouse/client/date-time64.ts';

/** A row of `call_parts`, whose columns docs/call-parts.md describes; what is absent takes the column's default. */
export interface PartRow {
  readonly project_id: string;
  readonly id: string;
  readonly kind: 'start' | 'end' | 'whole' | 'deletion';
  readonly trace_id: string;
  readonly [column: string]: unknown;
}

/** The row of a part whose ids are known. */
export function toPartRow(part: Part, id: string, traceId: string): PartRow {
  switch (part.kind) {
    case 'start':
      return { kind: 'start', id, trace_id: traceId, ...toStartColumns(part.start) };
    case 'end':
      return { kind: 'end', id, trace_id: traceId, ...toEndColumns(part.end) };
    case 'whole':
      return {
        kind: 'whole',
        id,
        trace_id: traceId,
        ...toEndColumns(part.call),
        ...toStartColumns(part.call),
      };
  }
}

function toStartColumns(start: CallStart) {
  return {
    project_id: start.project_id,
    parent_id: start.parent_id ?? '',
    started_at: toDateTime64(start.started_at),
    op_name: start.op_name,
    display_name: start.display_name ?? '',
    attributes_dump: toDump(start.attributes),
    inputs_dump: toDump(start.inputs),
    thread_id: start.thread_id ?? '',
    turn_id: start.turn_id ?? '',
    otel_dump: start.otel_dump ? toDump(start.otel_dump) : '',
    wb_user_id: start.wb_user_id ?? '',
    wb_run_id: start.wb_run_id ?? '',
    wb_run_step: start.wb_run_step ?? null,
  };
}

function toEndColumns(end: CallEnd) {
  return {
    project_id: end.project_id,
    ended_at: toDateTime64(end.ended_at),
    ...(end.started_at ? { started_at: toDateTime64(end.started_at) } : {}),
    summary_dump: toDump(end.summary),
    output_dump: toDump(end.output ?? null),
    exception: end.exception ?? '',
    wb_run_step_end: end.wb_run_step_end ?? null,
  };
}
