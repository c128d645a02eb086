import { expect } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { areWholeTraces } from '../../src/usage/usage-reader.ts';
import {
  type RootsRow,
  toUsageRow,
  type TreeRow,
  type UsageRow,
} from '../../src/usage/usage-row.ts';

const forRoots = ['calls_usage_roots', 'calls_usage_rolled_up_roots'] as const;

/**
 * The rows of calls_usage.sql. Where one of the statements for roots says that it answers the question, it must answer
 * with the same.
 */
export async function readUsage(
  engine: Engine,
  project_id: string,
  call_ids: readonly string[],
  include_costs: boolean,
): Promise<UsageRow[]> {
  const parameters = { project_id, call_ids, include_costs };
  const rows = (await engine.read<TreeRow>('calls_usage', parameters)).map(toUsageRow);
  for (const name of forRoots) {
    const roots = await engine.read<RootsRow>(name, parameters);
    if (areWholeTraces(roots)) expect(inOrder(roots.map(toUsageRow))).toEqual(inOrder(rows));
  }
  return rows;
}

/** The same rows whichever statement they come from: keys differ, and ids that rows need not have. */
function inOrder(rows: readonly UsageRow[]): object[] {
  const idOf = new Map(rows.filter((row) => row.is_here).map((row) => [row.call_key, row.call_id]));
  return rows
    .map(({ above_key, is_here: _, ...row }) => ({
      ...row,
      call_key: '',
      call_id: idOf.get(row.call_key) ?? '',
      above: idOf.get(above_key) ?? '',
      unfinished_call_ids: row.unfinished_call_ids.toSorted(),
    }))
    .map((row) => ({ row, text: JSON.stringify(row) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ row }) => row);
}
