import type { ClickHouse } from '../clickhouse/clickhouse.ts';

/** An end whose trace its client did not name; the start of the call may be known. */
export interface OrphanEnd {
  readonly projectId: string;
  readonly id: string;
}

/** A start with its trace. */
export interface TracedStart extends OrphanEnd {
  readonly traceId: string;
}

/** The traces of calls. */
export class Traces {
  readonly #traces = new Map<string, string>();

  add({ projectId, id, traceId }: TracedStart): void {
    this.#traces.set(JSON.stringify([projectId, id]), traceId);
  }

  find({ projectId, id }: OrphanEnd): string | undefined {
    return this.#traces.get(JSON.stringify([projectId, id]));
  }
}

/** Finds the traces of ends: first among given starts, then in ClickHouse with one query. */
export async function findTraces(
  clickhouse: ClickHouse,
  ends: readonly OrphanEnd[],
  starts: Iterable<TracedStart>,
): Promise<Traces> {
  const traces = new Traces();
  for (const start of starts) traces.add(start);
  const unknown = ends.filter((end) => traces.find(end) === undefined);
  if (unknown.length === 0) return traces;
  const rows = await clickhouse.read<{ project_id: string; id: string; trace_id: string }>(
    'find_traces',
    { project_ids: unknown.map((end) => end.projectId), call_ids: unknown.map(({ id }) => id) },
  );
  for (const { project_id, id, trace_id } of rows) {
    traces.add({ projectId: project_id, id, traceId: trace_id });
  }
  return traces;
}
