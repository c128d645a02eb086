import type { ReadOptions } from '../../clickhouse/clickhouse.ts';
import { noBoundaries } from '../../prices/snapshot/price-level.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import type { UsageStatsRow } from '../stats/sources/stats-source.ts';
import type { RequestedPrices } from '../query/usage-row.ts';
import type { TraceSources } from './list-settled.ts';
import { toUsageEntry, type UsageEntry } from './trace.ts';

/** All times. */
const window = { startUs: -(2n ** 63n), endUs: 2n ** 63n - 1n };

/**
 * What traces used as a whole, by the statements of statistics: also what their top calls do not say, because one response is
 * in the subtrees of several of them, or because calls form a cycle.
 * @returns by trace
 * @throws the same errors as {@link LiveSource.readUsage}
 */
export async function readWholeTraces(
  { live, prices }: TraceSources,
  projectId: string,
  traceIds: readonly string[],
  options: Required<ReadOptions>,
): Promise<ReadonlyMap<string, readonly UsageEntry[]>> {
  if (traceIds.length === 0) return new Map();
  const query = {
    ...{ projectId, window, bucketStarts: [window.startUs], filter: { trace_ids: [...traceIds] } },
    ...{ groupColumns: ['trace_id'] as const, withValues: false },
    boundaries: prices?.boundaries ?? noBoundaries,
  };
  const { rows } = await live.readUsage(query, options);
  return await runInSlices(byTrace(rows, prices), options.signal);
}

function* byTrace(
  rows: readonly UsageStatsRow[],
  prices: RequestedPrices,
): Steps<Map<string, UsageEntry[]>> {
  const traces = new Map<string, UsageEntry[]>();
  for (const row of rows) {
    yield;
    const entries = traces.get(row.value_1) ?? [];
    traces.set(row.value_1, entries);
    entries.push(toUsageEntry(row, prices));
  }
  return traces;
}
