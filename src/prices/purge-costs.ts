import type { Engine } from '../engine/engine.ts';

/** Takes prices of a project back; ids that it does not have are no fault. */
export async function purgeCosts(
  engine: Engine,
  projectId: string,
  costIds: readonly string[],
): Promise<void> {
  await engine.write('purge_costs', { project_id: projectId, cost_ids: costIds });
}
