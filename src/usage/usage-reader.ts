import type { Engine } from '../engine/engine.ts';
import { attachLooseEnds } from './loose-ends.ts';
import { type RootsRow, toUsageRow, type TreeRow, type UsageRow } from './usage-row.ts';

/** What the statements are asked with. */
export interface UsageParameters {
  readonly project_id: string;
  /** Without repeats. */
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
}

/** Reads the rows that answer a question; rejects as {@link Engine.read} does. */
export type ReadUsage = (
  parameters: UsageParameters,
  signal: AbortSignal,
) => Promise<readonly UsageRow[]>;

/** Projects that are remembered; beyond them the oldest is forgotten. */
const maxRemembered = 10_000;

/** Rows, and the calls that lack an end as far as the rows know. */
interface Reading {
  readonly rows: readonly UsageRow[];
  readonly openCallIds: readonly string[];
}

/**
 * Makes the function that reads the rows which answer a question. calls_usage.sql is right for every call; most
 * questions are about whole traces, for which another statement finds the same with less work, and says so when it
 * does not. Which of the two for whole traces a project needs is remembered, never an answer.
 */
export function createUsageReader(engine: Engine): ReadUsage {
  const rolledUp = new Set<string>();

  async function readRoots(
    parameters: UsageParameters,
    signal: AbortSignal,
  ): Promise<readonly RootsRow[]> {
    const { project_id } = parameters;
    if (!rolledUp.has(project_id)) {
      const rows = await engine.read<RootsRow>('calls_usage_roots', { ...parameters }, { signal });
      if (!rows.some((row) => row.is_rolled_up)) return rows;
      remember(rolledUp, project_id);
    }
    return await engine.read('calls_usage_rolled_up_roots', { ...parameters }, { signal });
  }

  async function readOnce(parameters: UsageParameters, signal: AbortSignal): Promise<Reading> {
    const roots = await readRoots(parameters, signal);
    if (areWholeTraces(roots)) {
      const openCallIds = roots.flatMap((row) => row.unfinished_call_ids);
      return { rows: roots.map(toUsageRow), openCallIds };
    }
    const rows = await engine.read<TreeRow>('calls_usage', { ...parameters }, { signal });
    const openCallIds = rows.flatMap((row) => [
      ...row.unfinished_call_ids,
      ...row.deleted_open_call_ids,
    ]);
    return { rows: rows.map(toUsageRow), openCallIds };
  }

  return async (parameters, signal) => {
    const { rows, openCallIds } = await readOnce(parameters, signal);
    const isNews = await attachLooseEnds(engine, parameters.project_id, openCallIds, signal);
    return isNews ? (await readOnce(parameters, signal)).rows : rows;
  };
}

/**
 * Whether the rows of a statement for roots answer the question: each requested call that is known is the only root of
 * a trace of its own, and its trace is tidy.
 */
export function areWholeTraces(rows: readonly RootsRow[]): boolean {
  const roots = new Map<string, number>();
  for (const row of rows) {
    if (row.is_untidy || row.is_rolled_up) return false;
    roots.set(row.call_key, (roots.get(row.call_key) ?? 0) + Number(row.roots));
  }
  const haveOne = [...roots.values()].every((count) => count === 1);
  return rows.length > 0 && haveOne && roots.size === Number(rows[0]?.known);
}

function remember(projects: Set<string>, projectId: string): void {
  projects.add(projectId);
  const [oldest] = projects;
  if (projects.size > maxRemembered && oldest !== undefined) projects.delete(oldest);
}
