import { setTimeout as sleep } from 'node:timers/promises';

/** Some traces are never rolled up, such as those with cycles. */
const maxSettleMs = 2_000;

/**
 * Waits until the service has rolled up the traces of some projects, as far as it does.
 * @param query reads all servers
 */
export function createSettle(query: <Row>(sql: string) => Promise<Row[]>) {
  return async (projects: readonly string[]): Promise<void> => {
    const list = projects.map((project) => `unhex('${Buffer.from(project).toString('hex')}')`);
    const isOfProjects = `project_id IN (${list.join()})`;
    const deadline = Date.now() + maxSettleMs;
    while (Date.now() < deadline) {
      const [{ unrolled }] = (await query(`
        SELECT toUInt32(countIf((project_id, trace_id, checksum) NOT IN (
            SELECT project_id, trace_id, checksum FROM trace_rollups WHERE ${isOfProjects}))) AS unrolled
        FROM (
            SELECT project_id, trace_id, sum(checksum) AS checksum FROM merged_calls
            WHERE ${isOfProjects} GROUP BY project_id, trace_id)`)) as [{ unrolled: number }];
      if (unrolled === 0) return;
      await sleep(100);
    }
  };
}
