import type { ClickHouse } from '../clickhouse/clickhouse.ts';

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
 * Deletes calls and all their descendants as they are known now.
 * @returns how many calls that were there are deleted by this request.
 */
export async function deleteCalls(
  clickhouse: ClickHouse,
  projectId: string,
  callIds: readonly string[],
): Promise<number> {
  const parameters = { project_id: projectId, call_ids: callIds };
  const [row] = await clickhouse.read<{ calls: string }>('count_calls_to_delete', parameters);
  await clickhouse.write('delete_calls', parameters);
  return Number(row?.calls);
}

/** What was sent of a part, whatever its kind. */
export function contentOf(part: Part): CallStart | CallEnd {
  switch (part.kind) {
    case 'start':
      return part.start;
    case 'end':
      return part.end;
    case 'whole':
      return part.call;
  }
}
