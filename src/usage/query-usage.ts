import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { ResolveAliases } from '../prices/resolve-aliases.ts';
import { repairOrphanEnds } from './orphan-ends.ts';
import { fromRoots, fromTree, type RootsRow, type TreeRow, type UsageRow } from './usage-row.ts';

/** What a question asks. */
export interface UsageParameters {
  readonly project_id: string;
  /** Without repeats. */
  readonly call_ids: readonly string[];
  readonly include_costs: boolean;
}

/** Reads the rows that answer a question; rejects as {@link ClickHouse.read} does. */
export type ReadUsage = (
  parameters: UsageParameters,
  signal: AbortSignal,
) => Promise<readonly UsageRow[]>;

/** Rows, and the calls that lack an end as far as they know. */
interface Reading {
  readonly rows: readonly UsageRow[];
  readonly unfinishedCallIds: readonly string[];
}

/** A row of locate_calls.sql. */
interface RequestedCall {
  readonly call_id: string;
  readonly trace_id: string;
  readonly is_root: 0 | 1;
  readonly is_rolled_up: 0 | 1;
}

/** The row of price_boundaries.sql; integers as text. */
interface PriceChanges {
  readonly dates: readonly string[];
  readonly prompt_sizes: readonly string[];
}

/** What all three statements are asked with. */
interface CommonParameters {
  readonly project_id: string;
  readonly include_costs: boolean;
  /** Microseconds since 1970, ascending; the first is before every call. */
  readonly price_dates: readonly bigint[];
  /** Tokens, ascending; the first is 0. */
  readonly prompt_sizes: readonly bigint[];
}

/**
 * Makes the function that reads the rows which answer a question. It looks up where the requested calls are and when
 * prices change, then one statement does all the rest: usage_tree_walk.sql is right for every call, but most questions are
 * about whole traces, for which another one finds the same with less work, and says so where it does not. Where models
 * have no price, `learnModels` is asked, and the rows are read once more if it has found any.
 */
export function createUsageReader(
  clickhouse: ClickHouse,
  resolveAliases?: ResolveAliases,
): ReadUsage {
  async function readOnce(parameters: UsageParameters, signal: AbortSignal): Promise<Reading> {
    const { project_id, call_ids } = parameters;
    const [requested, common] = await Promise.all([
      clickhouse.read<RequestedCall>('locate_calls', { project_id, call_ids }, { signal }),
      readPriceChanges(clickhouse, parameters, signal),
    ]);
    if (requested.length === 0) return { rows: [], unfinishedCallIds: [] };
    return (
      (await readRoots(clickhouse, requested, common, signal)) ??
      (await readTrees(clickhouse, requested, common, signal))
    );
  }

  return async (parameters, signal) => {
    const { rows, unfinishedCallIds } = await readOnce(parameters, signal);
    const isNews = await repairOrphanEnds(
      clickhouse,
      parameters.project_id,
      unfinishedCallIds,
      signal,
    );
    const known = isNews ? (await readOnce(parameters, signal)).rows : rows;
    const unpriced = parameters.include_costs ? toUnpriced(known) : [];
    if (resolveAliases === undefined || unpriced.length === 0) return known;
    const learned = await resolveAliases(unpriced);
    return learned.size > 0 ? (await readOnce(parameters, signal)).rows : known;
  };
}

function toUnpriced(rows: readonly UsageRow[]): string[] {
  const unpriced = rows.filter(({ model, prompt_cost }) => model !== '' && prompt_cost === null);
  return [...new Set(unpriced.map(({ model }) => model))];
}

async function readPriceChanges(
  clickhouse: ClickHouse,
  { project_id, include_costs }: UsageParameters,
  signal: AbortSignal,
): Promise<CommonParameters> {
  const [changes] = include_costs
    ? await clickhouse.read<PriceChanges>('price_boundaries', { project_id }, { signal })
    : [];
  return {
    project_id,
    include_costs,
    price_dates: [-(2n ** 63n), ...(changes?.dates ?? []).map(BigInt)],
    prompt_sizes: [0n, ...(changes?.prompt_sizes ?? []).map(BigInt)],
  };
}

/** @returns nothing where the trees have to be walked */
async function readRoots(
  clickhouse: ClickHouse,
  requested: readonly RequestedCall[],
  common: CommonParameters,
  signal: AbortSignal,
): Promise<Reading | undefined> {
  const rootOf = new Map(requested.map(({ trace_id, call_id }) => [trace_id, call_id]));
  if (rootOf.size < requested.length || !requested.every((call) => call.is_root)) return undefined;
  const parameters = { ...common, trace_ids: [...rootOf.keys()] };
  const read = (name: 'usage_flat_sum' | 'usage_flat_sum_rolled_up'): Promise<RootsRow[]> =>
    clickhouse.read<RootsRow>(name, parameters, { signal });
  const mayBePlain = !requested.some((call) => call.is_rolled_up);
  let rows = mayBePlain ? await read('usage_flat_sum') : [];
  if (!mayBePlain || rows.some((row) => row.is_rolled_up)) {
    rows = await read('usage_flat_sum_rolled_up');
  }
  if (!answersWholeTraces(rows, rootOf.size)) return undefined;
  return {
    rows: rows.map((row) => fromRoots(row, rootOf.get(row.call_key) ?? '')),
    unfinishedCallIds: rows.flatMap((row) => row.unfinished_call_ids),
  };
}

/** Whether rows of a statement for roots answer for so many traces: each has one root, and is tidy. */
export function answersWholeTraces(rows: readonly RootsRow[], traces: number): boolean {
  const roots = new Map<string, number>();
  for (const row of rows) {
    if (row.needs_tree_walk || row.is_rolled_up) return false;
    roots.set(row.call_key, (roots.get(row.call_key) ?? 0) + Number(row.roots));
  }
  return roots.size === traces && [...roots.values()].every((count) => count === 1);
}

async function readTrees(
  clickhouse: ClickHouse,
  requested: readonly RequestedCall[],
  common: CommonParameters,
  signal: AbortSignal,
): Promise<Reading> {
  const parameters = {
    ...common,
    call_ids: requested.map((call) => call.call_id),
    trace_ids: requested.map((call) => call.trace_id),
  };
  const rows = await clickhouse.read<TreeRow>('usage_tree_walk', parameters, { signal });
  const unfinishedCallIds = rows.flatMap((row) => [
    ...row.unfinished_call_ids,
    ...row.deleted_open_call_ids,
  ]);
  return { rows: rows.map(fromTree), unfinishedCallIds };
}
