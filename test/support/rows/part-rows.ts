import type { CallShape } from '../usage-client.ts';

/** A row of `call_parts` as a pipeline inserts it. */
export type Row = Readonly<Record<string, unknown>>;

const time = '2026-01-31 12:00:00.000000';

/** A start. The trace is `trace` unless the shape sets another one; `more` overrides columns. */
export function startRow(project_id: string, shape: CallShape, more: Row = {}): Row {
  return { project_id, id: shape.id, kind: 'start', ...startColumns(shape), ...more };
}

/** An end with a trace id. */
export function endRow(project_id: string, shape: CallShape, more: Row = {}): Row {
  const trace_id = shape.trace ?? 'trace';
  return { project_id, id: shape.id, kind: 'end', trace_id, ...endColumns(shape), ...more };
}

/** An end without a trace id. */
export function orphanEndRow(project_id: string, shape: CallShape, more: Row = {}): Row {
  return endRow(project_id, shape, { trace_id: '', ...more });
}

/** A complete call: start and end in one part, stored with the kind `whole`. */
export function completeRow(project_id: string, shape: CallShape, more: Row = {}): Row {
  const columns = { ...startColumns(shape), ...endColumns(shape) };
  return { project_id, id: shape.id, kind: 'whole', ...columns, ...more };
}

/** The deletion of a call. */
export function deletionRow(project_id: string, { id, trace = 'trace' }: CallShape): Row {
  return { project_id, id, kind: 'deletion', trace_id: trace };
}

/** Orphan ends of the calls `started`, which has a start, and `unknown`, which has none, and the complete call `whole`. */
export function orphanEndRows(project: string): Row[] {
  const usage = { m: { prompt_tokens: 7 } };
  return [
    startRow(project, { id: 'started', trace: 'its trace' }),
    orphanEndRow(project, { id: 'started', usage }, { exception: 'broke', wb_run_step_end: '3' }),
    orphanEndRow(project, { id: 'unknown', usage }),
    completeRow(project, { id: 'whole', trace: 'its trace', usage }),
  ];
}

function startColumns({ trace = 'trace', parent = '', startedAt = time }: CallShape): Row {
  return { trace_id: trace, parent_id: parent, started_at: startedAt };
}

function endColumns({ usage }: CallShape): Row {
  return { ended_at: time, summary_dump: JSON.stringify(usage === undefined ? {} : { usage }) };
}

/** All permutations of a list. */
export function permutationsOf<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((first, index) =>
    permutationsOf(list.filter((_, other) => other !== index)).map((rest) => [first, ...rest]),
  );
}
