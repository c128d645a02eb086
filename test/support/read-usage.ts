import { expect } from 'vitest';
import type { ClickHouse } from '../../src/clickhouse/clickhouse.ts';
import { answersWholeTraces } from '../../src/usage/query-usage.ts';
import {
  fromRoots,
  fromTree,
  type RootsRow,
  type TreeRow,
  type UsageRow,
} from '../../src/usage/usage-row.ts';

export const statementsForRoots = ['usage_flat_sum', 'usage_flat_sum_rolled_up'] as const;

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

/** The rows of usage_tree_walk.sql. */
async function readTrees(clickhouse: ClickHouse, question: Question): Promise<UsageRow[]> {
  const requested = await readRequested(clickhouse, question);
  const rows = await clickhouse.read<TreeRow>('usage_tree_walk', {
    ...(await readCommon(clickhouse, question)),
    call_ids: requested.map((call) => call.call_id),
    trace_ids: requested.map((call) => call.trace_id),
  });
  return rows.map(fromTree);
}

/** The rows of a statement for roots; undefined where it says that it does not answer the question. */
export async function readRoots(
  clickhouse: ClickHouse,
  name: (typeof statementsForRoots)[number],
  question: Question,
): Promise<UsageRow[] | undefined> {
  const requested = await readRequested(clickhouse, question);
  const rootOf = new Map(requested.map((call) => [call.trace_id, call.call_id]));
  if (rootOf.size < requested.length || !requested.every((call) => call.is_root)) return undefined;
  const parameters = {
    ...(await readCommon(clickhouse, question)),
    trace_ids: [...rootOf.keys()],
  };
  const rows = await clickhouse.read<RootsRow>(name, parameters);
  if (!answersWholeTraces(rows, rootOf.size)) return undefined;
  return rows.map((row) => fromRoots(row, rootOf.get(row.call_key) ?? ''));
}

async function readCommon(clickhouse: ClickHouse, { project_id, include_costs }: Question) {
  const changes = await clickhouse.read<{ dates: string[]; prompt_sizes: string[] }>(
    'price_boundaries',
    {
      project_id,
    },
  );
  const dates = changes.flatMap((row) => row.dates).map(BigInt);
  const sizes = changes.flatMap((row) => row.prompt_sizes).map(BigInt);
  const [price_dates, prompt_sizes] = [
    [-(2n ** 63n), ...dates],
    [0n, ...sizes],
  ];
  return { project_id, include_costs, price_dates, prompt_sizes };
}

async function readRequested(clickhouse: ClickHouse, question: Question): Promise<RequestedCall[]> {
  const { project_id, call_ids } = question;
  return await clickhouse.read<RequestedCall>('locate_calls', { project_id, call_ids });
}

/**
 * The rows of usage_tree_walk.sql. Where one of the statements for roots says that it answers the question, it must answer
 * with the same.
 */
export async function readUsage(
  clickhouse: ClickHouse,
  project_id: string,
  call_ids: readonly string[],
  include_costs: boolean,
): Promise<UsageRow[]> {
  const question = { project_id, call_ids, include_costs };
  const rows = await readTrees(clickhouse, question);
  for (const name of statementsForRoots) {
    const roots = await readRoots(clickhouse, name, question);
    if (roots !== undefined) expect(inOrder(roots)).toEqual(inOrder(rows));
  }
  return rows;
}

/** The same rows whichever statement they come from, whose keys differ. */
function inOrder(rows: readonly UsageRow[]): object[] {
  const idOf = new Map(rows.map((row) => [row.call_key, row.call_id]));
  return rows
    .map(({ ancestor_key, is_present: _, ...row }) => ({
      ...row,
      call_key: '',
      above: idOf.get(ancestor_key) ?? '',
      unfinished_call_ids: row.unfinished_call_ids.toSorted(),
    }))
    .map((row) => ({ row, text: JSON.stringify(row, Object.keys(row).sort()) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ row }) => row);
}
