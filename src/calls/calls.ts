import { randomUUID } from 'node:crypto';

import type { Engine } from '../engine/engine.ts';
import { toPartRow } from './part-row.ts';

/** The start of a call, valid against `StartedCallSchemaForInsert` of openapi/service.openapi.yaml. */
export interface CallStart {
  readonly project_id: string;
  readonly id?: string | null;
  readonly trace_id?: string | null;
  readonly parent_id?: string | null;
  readonly op_name: string;
  readonly display_name?: string | null;
  readonly started_at: string;
  readonly attributes: object;
  readonly inputs: object;
  readonly thread_id?: string | null;
  readonly turn_id?: string | null;
  readonly otel_dump?: object | null;
  readonly wb_user_id?: string | null;
  readonly wb_run_id?: string | null;
  readonly wb_run_step?: number | null;
}

/** The end of a call, valid against `EndedCallSchemaForInsert`. */
export interface CallEnd {
  readonly project_id: string;
  readonly id: string;
  readonly ended_at: string;
  readonly summary: object;
  readonly started_at?: string | null;
  readonly trace_id?: string | null;
  readonly exception?: string | null;
  readonly output?: unknown;
  readonly wb_run_step_end?: number | null;
}

/** A call that arrives whole, valid against `CompletedCallSchemaForInsert`. */
export type WholeCall = CallStart & CallEnd & { readonly id: string; readonly trace_id: string };

/** One part of a batch. */
export type Part =
  | { readonly kind: 'start'; readonly start: CallStart }
  | { readonly kind: 'end'; readonly end: CallEnd }
  | { readonly kind: 'whole'; readonly call: WholeCall };

/** What a client is told of a part that it sent: both ids for a start or whole call, nothing for an end. */
export type PartAnswer = { readonly id: string; readonly trace_id: string } | Record<string, never>;

/**
 * Stores parts as one insert; when it resolves all are in ClickHouse. Missing ids and trace ids of starts are
 * made here; ends without a trace id get that of their start where it is known by now.
 *
 * @returns one answer per part, in order.
 */
export async function storeParts(engine: Engine, parts: readonly Part[]): Promise<PartAnswer[]> {
  const named = parts.map(nameStart);
  const traceOf = await findTraces(engine, named);
  await engine.insert(
    'call_parts',
    named.map(({ part, id, traceId }) =>
      toPartRow(part, id, traceId ?? traceOf.get(toCallKey(projectOf(part), id)) ?? ''),
    ),
  );
  return named.map(({ part, id, traceId }) =>
    part.kind === 'end' || traceId === undefined ? {} : { id, trace_id: traceId },
  );
}

/**
 * Deletes calls and all their descendants as they are known now.
 * @returns how many calls that were there are deleted by this request.
 */
export async function deleteCalls(
  engine: Engine,
  projectId: string,
  callIds: readonly string[],
): Promise<number> {
  const parameters = { project_id: projectId, call_ids: callIds };
  const [row] = await engine.read<{ calls: string }>('count_calls_to_delete', parameters);
  await engine.write('delete_calls', parameters);
  return Number(row?.calls);
}

/** A part with its ids; an end's trace may be unknown. */
interface NamedPart {
  readonly part: Part;
  readonly id: string;
  readonly traceId: string | undefined;
}

function nameStart(part: Part): NamedPart {
  const { id, trace_id } = contentOf(part);
  return {
    part,
    id: id ?? randomUUID(),
    traceId: trace_id || (part.kind === 'end' ? undefined : randomUUID()),
  };
}

/** Finds the traces of the ends that do not name theirs: among the starts beside them, then in ClickHouse. */
async function findTraces(
  engine: Engine,
  parts: readonly NamedPart[],
): Promise<ReadonlyMap<string, string>> {
  const traces = new Map<string, string>();
  for (const { part, id, traceId } of parts) {
    if (part.kind !== 'end' && traceId !== undefined) {
      traces.set(toCallKey(projectOf(part), id), traceId);
    }
  }
  const unknown = parts.filter(
    ({ part, id, traceId }) => traceId === undefined && !traces.has(toCallKey(projectOf(part), id)),
  );
  for (const [projectId, ends] of groupByProject(unknown)) {
    const call_ids = ends.map(({ id }) => id);
    const found = await engine.read<{ id: string; trace_id: string }>('traces_of_calls', {
      project_id: projectId,
      call_ids,
    });
    for (const { id, trace_id } of found) traces.set(toCallKey(projectId, id), trace_id);
  }
  return traces;
}

function groupByProject(parts: readonly NamedPart[]): Map<string, NamedPart[]> {
  const groups = new Map<string, NamedPart[]>();
  for (const named of parts) {
    const projectId = projectOf(named.part);
    const group = groups.get(projectId);
    if (group === undefined) groups.set(projectId, [named]);
    else group.push(named);
  }
  return groups;
}

function contentOf(part: Part): CallStart | CallEnd {
  switch (part.kind) {
    case 'start':
      return part.start;
    case 'end':
      return part.end;
    case 'whole':
      return part.call;
  }
}

function projectOf(part: Part): string {
  return contentOf(part).project_id;
}

function toCallKey(projectId: string, id: string): string {
  return JSON.stringify([projectId, id]);
}
