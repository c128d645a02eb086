import type { CallShape } from './usage-client.ts';

/** A row of `call_parts` as a pipeline inserts it. */
export type Row = Readonly<Record<string, unknown>>;

const time = '2026-01-31 12:00:00.000000';

/** A start of a call; its trace is `trace` unless the shape says otherwise. */
export function startRow(project_id: string, shape: CallShape, more: Row = {}): Row {
  return { project_id, id: shape.id, kind: 'start', ...startColumns(shape), ...more };
}

/** An end of a call, with its trace. */
export function endRow(project_id: string, shape: CallShape, more: Row = {}): Row {
  const trace_id = shape.trace ?? 'trace';
  return { project_id, id: shape.id, kind: 'end', trace_id, ...endColumns(shape), ...more };
}

/** An end of a call that does not say its trace. */
export function orphanEndRow(project_id: string, shape: CallShape, more: Row = {}): Row {
  return endRow(project_id, shape, { trace_id: '', ...more });
}

/** A call as one part. */
export function wholeRow(project_id: string, shape: CallShape, more: Row = {}): Row {
  const columns = { ...startColumns(shape), ...endColumns(shape) };
  return { project_id, id: shape.id, kind: 'whole', ...columns, ...more };
}

/** The deletion of a call. */
export function deletionRow(project_id: string, { id, trace = 'trace' }: CallShape): Row {
  return { project_id, id, kind: 'deletion', trace_id: trace };
}

function startColumns({ trace = 'trace', parent = '', startedAt = time }: CallShape): Row {
  return { trace_id: trace, parent_id: parent, started_at: startedAt };
}

function endColumns({ usage }: CallShape): Row {
  return { ended_at: time, summary_dump: JSON.stringify(usage === undefined ? {} : { usage }) };
}

/** Every order of some things. */
export function permutationsOf<T>(things: readonly T[]): T[][] {
  if (things.length === 0) return [[]];
  return things.flatMap((first, index) =>
    permutationsOf(things.filter((_, other) => other !== index)).map((rest) => [first, ...rest]),
  );
}
