import { expect } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { areWholeTraces } from '../../src/usage/usage-reader.ts';
import {
  fromRoots,
  fromTree,
  type RootsRow,
  type TreeRow,
  type UsageRow,
} from '../../src/usage/usage-row.ts';

export const statementsForRoots = ['calls_usage_roots', 'calls_usage_rolled_up_roots'] as const;

interface RequestedCall {
  readonly call_id: string;
  readonly trace_id: string;
  readonly is_root: 0 | 1;
}

interface Question {
  readonly project_id: string;
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
}

/** The rows of calls_usage.sql. */
async function readTrees(engine: Engine, question: Question): Promise<UsageRow[]> {
  const requested = await readRequested(engine, question);
  const rows = await engine.read<TreeRow>('calls_usage', {
    ...(await readCommon(engine, question)),
    call_ids: requested.map((call) => call.call_id),
    trace_ids: requested.map((call) => call.trace_id),
  });
  return rows.map(fromTree);
}

/** The rows of a statement for roots; undefined where it says that it does not answer the question. */
export async function readRoots(
  engine: Engine,
  name: (typeof statementsForRoots)[number],
  question: Question,
): Promise<UsageRow[] | undefined> {
  const requested = await readRequested(engine, question);
  const rootOf = new Map(requested.map((call) => [call.trace_id, call.call_id]));
  if (rootOf.size < requested.length || !requested.every((call) => call.is_root)) return undefined;
  const parameters = {
    ...(await readCommon(engine, question)),
    trace_ids: [...rootOf.keys()],
  };
  const rows = await engine.read<RootsRow>(name, parameters);
  if (!areWholeTraces(rows, rootOf.size)) return undefined;
  return rows.map((row) => fromRoots(row, rootOf.get(row.call_key) ?? ''));
}

async function readCommon(engine: Engine, { project_id, include_costs }: Question) {
  const changes = await engine.read<{ dates: string[]; prompt_sizes: string[] }>('price_changes', {
    project_id,
  });
  const dates = changes.flatMap((row) => row.dates).map(BigInt);
  const sizes = changes.flatMap((row) => row.prompt_sizes).map(BigInt);
  const [price_dates, prompt_sizes] = [
    [-(2n ** 63n), ...dates],
    [0n, ...sizes],
  ];
  return { project_id, include_costs, price_dates, prompt_sizes };
}

async function readRequested(engine: Engine, question: Question): Promise<RequestedCall[]> {
  const { project_id, call_ids } = question;
  return await engine.read<RequestedCall>('requested_calls', { project_id, call_ids });
}

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
  const question = { project_id, call_ids, include_costs };
  const rows = await readTrees(engine, question);
  for (const name of statementsForRoots) {
    const roots = await readRoots(engine, name, question);
    if (roots !== undefined) expect(inOrder(roots)).toEqual(inOrder(rows));
  }
  return rows;
}

/** The same rows whichever statement they come from, whose keys differ. */
function inOrder(rows: readonly UsageRow[]): object[] {
  const idOf = new Map(rows.map((row) => [row.call_key, row.call_id]));
  return rows
    .map(({ above_key, is_here: _, ...row }) => ({
      ...row,
      call_key: '',
      above: idOf.get(above_key) ?? '',
      unfinished_call_ids: row.unfinished_call_ids.toSorted(),
    }))
    .map((row) => ({ row, text: JSON.stringify(row, Object.keys(row).sort()) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ row }) => row);
}
