import type { ClickHouse } from '../clickhouse/clickhouse.ts';

/**
 * Gives ends that came without a trace id, before their start was known, to the calls that lack an end.
 *
 * @param callIds calls of the project that have no end
 * @returns whether there were any, so that a question asked before has to be asked again
 */
export async function repairOrphanEnds(
  clickhouse: ClickHouse,
  projectId: string,
  callIds: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  if (callIds.length === 0) return false;
  const parameters = { project_id: projectId, call_ids: callIds };
  const [found] = await clickhouse.read<{ orphan_ends: string }>('count_orphan_ends', parameters, {
    signal,
  });
  if (found?.orphan_ends === '0') return false;
  await clickhouse.write('repair_orphan_ends', parameters);
  return true;
}
