import type { ClickHouse } from '../../clickhouse/clickhouse.ts';

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
