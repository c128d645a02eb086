import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until the service has rolled up the traces of some projects, as far as it does.
 * @param query reads all servers
 * @param maxSettleMs short by default, since some traces are never rolled up, such as those with cycles
 * @returns a function that resolves to the number of traces without a valid rollup
 */
export function createSettle(query: <Row>(sql: string) => Promise<Row[]>, maxSettleMs = 2_000) {
  return async (projects: readonly string[]): Promise<number> => {
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
      if (unrolled === 0 || Date.now() >= deadline) return unrolled;
      await sleep(100);
    }
  };
}
