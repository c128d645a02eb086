import { setTimeout as sleep } from 'node:timers/promises';

/** On a machine with much else to do; it takes less than two seconds on others. */
const maxSettleMs = 180_000;

/**
 * Waits until the service has rolled up all traces of some projects.
 * @param query reads all servers
 * @throws if some are left
 */
export function createSettle(query: <Row>(sql: string) => Promise<Row[]>) {
  return async (projects: readonly string[]): Promise<void> => {
    const list = projects.map((project) => `unhex('${Buffer.from(project).toString('hex')}')`);
    const isOfProjects = `project_id IN (${list.join()})`;
    const deadline = Date.now() + maxSettleMs;
    for (;;) {
      const [{ unrolled }] = (await query(`
        SELECT toUInt32(countIf((project_id, trace_id, checksum) NOT IN (
            SELECT project_id, trace_id, checksum FROM trace_rollups WHERE ${isOfProjects}))) AS unrolled
        FROM (
            SELECT project_id, trace_id, sum(checksum) AS checksum FROM merged_calls
            WHERE ${isOfProjects} GROUP BY project_id, trace_id)`)) as [{ unrolled: number }];
      if (unrolled === 0) return;
      if (Date.now() > deadline) throw new Error(`${unrolled} traces have not been rolled up`);
      await sleep(100);
    }
  };
}
