import type { Engine } from '../engine/engine.ts';
import type { UsageRow } from './usage-row.ts';

interface UsageParameters {
  readonly project_id: string;
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
}

type PlainRow = UsageRow & { readonly is_plain: 0 | 1 };

/** Projects that are remembered; beyond them the oldest is forgotten. */
const maxRemembered = 10_000;

/**
 * Makes the function that reads the rows which answer a question. calls_usage.sql is right for every trace;
 * calls_usage_plain.sql is quicker to plan, and says itself when it does not suffice. A project where it did not
 * is asked the former at once from then on, so that only its first question takes two round trips. What is
 * remembered is which statement to ask, never an answer.
 */
export function createUsageReader(
  engine: Engine,
): (parameters: UsageParameters, signal: AbortSignal) => Promise<readonly UsageRow[]> {
  const notPlain = new Set<string>();
  return async (parameters, signal) => {
    const { project_id } = parameters;
    if (!notPlain.has(project_id)) {
      const rows = await engine.read<PlainRow>('calls_usage_plain', { ...parameters }, { signal });
      if (rows.every((row) => row.is_plain)) return rows;
      remember(notPlain, project_id);
    }
    return await engine.read<UsageRow>('calls_usage', { ...parameters }, { signal });
  };
}

function remember(projects: Set<string>, projectId: string): void {
  projects.add(projectId);
  const [oldest] = projects;
  if (projects.size > maxRemembered && oldest !== undefined) projects.delete(oldest);
}
