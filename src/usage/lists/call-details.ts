import type { ClickHouse } from '../../clickhouse/clickhouse.ts';
import { repairOrphanEnds } from '../query/read-repair.ts';

/** Parameters of call_details.sql. */
export interface DetailsParameters {
  readonly project_id: string;
  readonly trace_ids: readonly string[];
  readonly keys: readonly string[];
  readonly with_attributes: boolean;
  readonly with_inputs: boolean;
  readonly with_output: boolean;
  readonly with_summary: boolean;
}

/**
 * Reads the details of calls, in any order; of calls without an end, an orphan one is stored first.
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function readCallDetails(
  clickhouse: ClickHouse,
  parameters: DetailsParameters,
  options: { readonly signal: AbortSignal; readonly reserve: (bytes: number) => void },
): Promise<CallDetails[]> {
  const read = () => clickhouse.read<CallDetails>('call_details', { ...parameters }, options);
  const details = await read();
  const open = details.filter(({ ended_at }) => ended_at === null).map(({ id }) => id);
  const isRepaired = await repairOrphanEnds(
    clickhouse,
    parameters.project_id,
    open,
    options.signal,
  );
  return isRepaired ? await read() : details;
}

/** A row of call_details.sql. */
export interface CallDetails {
  readonly trace_id: string;
  readonly id: string;
  /** As text. */
  readonly key: string;
  readonly op_name: string;
  readonly display_name: string;
  readonly parent_id: string;
  readonly thread_id: string;
  readonly turn_id: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  /** As text. */
  readonly latency_ms: string | null;
  readonly exception: string;
  readonly has_exception: 0 | 1;
  readonly wb_user_id: string;
  readonly wb_run_id: string;
  /** As text. */
  readonly wb_run_step: string | null;
  readonly wb_run_step_end: string | null;
  // JSON text.
  readonly attributes: string;
  readonly inputs: string;
  readonly output: string;
  readonly summary_members: readonly (readonly [name: string, json: string])[];
  readonly weave_members: readonly (readonly [name: string, json: string])[];
  readonly has_failed_descendant: 0 | 1;
}
