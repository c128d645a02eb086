import type { ClickHouse } from '../clickhouse/clickhouse.ts';

/** Takes prices of a project back; ids that it does not have are no fault. */
export async function purgeCosts(
  clickhouse: ClickHouse,
  projectId: string,
  costIds: readonly string[],
): Promise<void> {
  await clickhouse.write('purge_costs', { project_id: projectId, cost_ids: costIds });
}
