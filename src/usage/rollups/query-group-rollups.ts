import { noBoundaries, type PriceBoundaries } from '../../prices/snapshot/price-level.ts';
import { append, runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import { noneIfUnreadable } from './query-root-rollups.ts';
import type { QueriedRows, StatementStep } from '../query/query-usage.ts';
import { fromRollup, type LocatedCall, type RollupRow, type UsageRow } from '../query/usage-row.ts';

/** Rows from rollups, and the calls that have to be queried live. */
export interface QueriedGroups extends QueriedRows {
  readonly live: readonly LocatedCall[];
}

/**
 * Answers what rollups can answer. A trace is answered from its rollup if all its requested calls are top calls, its rollup
 * is valid, and all calls of each group have the same price.
 * @throws as `ClickHouse.read`
 */
export async function queryGroupRollups(
  { clickhouse, query, calls, prices, options }: StatementStep,
  rulesVersion: string,
): Promise<QueriedGroups> {
  const parameters = {
    project_id: query.project_id,
    call_ids: calls.map((call) => call.call_id),
    trace_ids: calls.map((call) => call.trace_id),
    rules_version: rulesVersion,
    ...(prices?.boundaries ?? noBoundaries),
  };
  if (!areQuarters(parameters.price_minutes)) return allLive(calls);
  const rows = await clickhouse
    .read<RollupRow>('usage_rollups', parameters, options)
    .catch(noneIfUnreadable);
  const live = await runInSlices(findLive(rows, calls, parameters), options.signal);
  return await runInSlices(fromRows(rows, calls, live, prices), options.signal);
}

/** The traces of which some requested call has no row, or has rows of calls with different prices. */
function* findLive(
  rows: readonly RollupRow[],
  calls: readonly LocatedCall[],
  { price_dates, prompt_sizes }: PriceBoundaries,
): Steps<ReadonlySet<string>> {
  const isAnswered = new Array<boolean>(calls.length).fill(false);
  const live = new Set<string>();
  for (const row of rows) {
    const index = Number(row.position) - 1;
    const call = calls[index];
    isAnswered[index] = true;
    const isCut =
      hasBoundary(price_dates, row.period_us, row.max_started_us) ||
      hasBoundary(prompt_sizes, row.prompt_size, row.max_prompt_size);
    if (isCut && call !== undefined) live.add(call.trace_id);
    yield;
  }
  for (const [index, { trace_id }] of calls.entries()) {
    if (isAnswered[index] !== true) live.add(trace_id);
    yield;
  }
  return live;
}

/** Groups are of a quarter of an hour, so only a price that begins within one could apply to some calls of a group. */
export function areQuarters(minutes: readonly number[]): boolean {
  return minutes.every((minute) => minute % 15 === 0);
}

function allLive(calls: readonly LocatedCall[]): QueriedGroups {
  return { rows: [], unfinishedCallIds: [], live: calls };
}

/**
 * Whether a boundary is above the first number and not above the second one.
 * @param boundaries ascending
 * @param first is one of them, or less than all
 */
function hasBoundary(boundaries: readonly bigint[], first: string, last: string): boolean {
  const [above, max] = [BigInt(first), BigInt(last)];
  let [low, high] = [0, boundaries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((boundaries[middle] ?? 0n) > above) high = middle;
    else low = middle + 1;
  }
  const next = boundaries[low];
  return next !== undefined && next <= max;
}

function* fromRows(
  rows: readonly RollupRow[],
  calls: readonly LocatedCall[],
  live: ReadonlySet<string>,
  prices: StatementStep['prices'],
): Steps<QueriedGroups> {
  const answered: UsageRow[] = [];
  const unfinishedCallIds: string[] = [];
  for (const row of rows) {
    yield;
    const call = calls[Number(row.position) - 1];
    if (call === undefined || live.has(call.trace_id)) continue;
    answered.push(fromRollup(row, call.call_id, prices));
    yield* append(unfinishedCallIds, row.unfinished_call_ids);
    yield* append(unfinishedCallIds, row.deleted_open_call_ids);
  }
  const remaining = calls.filter(({ trace_id }) => live.has(trace_id));
  return { rows: answered, unfinishedCallIds, live: remaining };
}
