import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { ResolveAliases } from '../prices/resolve-aliases.ts';
import { runInSlices, type Steps } from '../slices/run-in-slices.ts';
import type { UsageRow } from './usage-row.ts';

// The two writes that a read may cause. Each returns whether it changed what the read found.

/** Attaches orphan ends to those of the given calls that have one; from then on it belongs to its call. */
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

/** Stores prices under those model names without a price that are aliases of a model in the price book. */
export async function resolveUnpricedModels(
  resolveAliases: ResolveAliases,
  rows: readonly UsageRow[],
): Promise<boolean> {
  const unpriced = await runInSlices(findUnpricedModels(rows));
  if (unpriced.size === 0) return false;
  return (await resolveAliases([...unpriced])).size > 0;
}

function* findUnpricedModels(rows: readonly UsageRow[]): Steps<ReadonlySet<string>> {
  const models = new Set<string>();
  for (const { model, prompt_cost } of rows) {
    if (model !== '' && prompt_cost === null) models.add(model);
    yield;
  }
  return models;
}
