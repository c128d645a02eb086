import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { ResolveAliases } from '../prices/resolve-aliases.ts';
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
  const unpriced = rows.filter(({ model, prompt_cost }) => model !== '' && prompt_cost === null);
  if (unpriced.length === 0) return false;
  const resolved = await resolveAliases([...new Set(unpriced.map(({ model }) => model))]);
  return resolved.size > 0;
}
