import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';

/**
 * Attaches orphan ends to those of the given calls that have one; from then on it belongs to its call. This is the only
 * write that a read may cause.
 * @returns whether it changed what the read found
 */
export async function repairOrphanEnds(
  clickhouse: ClickHouse,
  projectId: string,
  unfinishedCallIds: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  if (unfinishedCallIds.length === 0) return false;
  const parameters = { project_id: projectId, call_ids: unfinishedCallIds };
  const [found] = await clickhouse.read<{ orphan_ends: string }>('count_orphan_ends', parameters, {
    signal,
  });
  if (found?.orphan_ends === '0') return false;
  await clickhouse.write('repair_orphan_ends', parameters);
  return true;
}

/** Rollups of traces whose root started in a window, in microseconds since 1970. */
interface RollupWindow {
  readonly project_id: string;
  readonly rules_version: string;
  readonly start_us: bigint;
  readonly end_us: bigint;
}

/**
 * Attaches the orphan ends of calls that are unfinished in rollups, which do not know of them: such an end is in no trace.
 * @returns whether it changed what the rollups say
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function repairRolledUp(
  clickhouse: ClickHouse,
  window: RollupWindow,
  { signal, ...options }: ReadOptions & { readonly signal: AbortSignal },
): Promise<boolean> {
  const { project_id } = window;
  const any = await clickhouse.read('has_orphan_ends', { project_id }, { signal });
  if (any.length === 0) return false;
  const parameters = { ...window, has_trace_ids: false, trace_ids: [] };
  const rows = await clickhouse.read<{ call_id: string }>('find_orphan_ends', parameters, {
    ...{ signal, ...options },
  });
  const callIds = rows.map(({ call_id }) => call_id);
  return await repairOrphanEnds(clickhouse, project_id, callIds, signal);
}
