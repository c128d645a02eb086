import type { ClickHouse } from '../clickhouse/clickhouse.ts';

/**
 * Deletes calls and all descendants that they have now.
 * @returns how many existing calls this request deleted
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
