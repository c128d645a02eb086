import { DamagedDataError } from '../../clickhouse/errors.ts';
import { findPriceClass } from '../../prices/snapshot/find-price-class.ts';
import { noBoundaries, type PriceBoundaries } from '../../prices/snapshot/price-level.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import { append, runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import type { QueriedRows, StatementStep } from '../query/query-usage.ts';
import { fromRollup, type RolledUpRow, type UsageRow } from '../query/usage-row.ts';

/** Requested calls that are the only top call of a trace, by their rollups. */
export interface RootRollups {
  /** Of each requested call its valid rollup. */
  readonly valid: ReadonlyMap<string, RootRollup>;
  /** Traces that have changed since they were rolled up. */
  readonly changedTraceIds: ReadonlySet<string>;
}

interface RootRollup {
  readonly trace_id: string;
  readonly usage: RootUsage;
}

/** What the column `root_usage` has, see sql/queries/fragments/rollups/rollup_rows.sql. Integers as text. */
interface RootUsage {
  readonly calls: string;
  readonly unfinished_call_ids: readonly string[];
  readonly deleted_open_call_ids: readonly string[];
  readonly sums: readonly RootSum[];
}

/** Of calls of one model, service tier, quarter of an hour and class of prompt sizes. */
interface RootSum {
  readonly model: string;
  readonly service_tier: string;
  readonly min_started_us: string;
  readonly max_started_us: string;
  readonly min_prompt_size: string;
  readonly max_prompt_size: string;
  readonly counters: readonly string[];
}

interface RootRollupRow {
  readonly trace_id: string;
  readonly checksum: string;
  readonly call_id: string;
  readonly root_usage: string;
}

interface TraceChecksum {
  readonly trace_id: string;
  readonly checksum: string;
}

const noRootRollups: RootRollups = { valid: new Map(), changedTraceIds: new Set() };

/**
 * Finds the rollups of requested calls, without looking up their traces, and which of them are valid. The checksums are read
 * after the rollups: a rollup whose checksum is that of the rows of its trace then was computed from all of them.
 * @throws as `ClickHouse.read`
 */
export async function findRootRollups(
  { clickhouse, query, options }: Pick<StatementStep, 'clickhouse' | 'query' | 'options'>,
  rulesVersion: string,
): Promise<RootRollups> {
  const { project_id, call_ids } = query;
  const requested = { project_id, call_ids, rules_version: rulesVersion };
  const rows = await clickhouse
    .read<RootRollupRow>('root_rollups', requested, options)
    .catch(noneIfUnreadable);
  if (rows.length === 0) return noRootRollups;
  const trace_ids = [...new Set(rows.map(({ trace_id }) => trace_id))];
  const checksums = await clickhouse
    .read<TraceChecksum>('trace_checksums', { project_id, trace_ids }, options)
    .catch(noneIfUnreadable);
  return await runInSlices(findValid(rows, checksums), options.signal);
}

/** All that rollups have is in other tables, too. If one of those cannot be read, the live answer says so. */
export function noneIfUnreadable(error: unknown): [] {
  if (error instanceof DamagedDataError) return [];
  throw error;
}

function* findValid(
  rows: readonly RootRollupRow[],
  checksums: readonly TraceChecksum[],
): Steps<RootRollups> {
  const checksumOf = new Map<string, string>();
  for (const { trace_id, checksum } of checksums) {
    checksumOf.set(trace_id, checksum);
    yield;
  }
  const valid = new Map<string, RootRollup>();
  const changedTraceIds = new Set(checksumOf.keys());
  const ambiguousIds = new Set<string>();
  for (const { trace_id, checksum, call_id, root_usage } of rows) {
    yield;
    if (checksumOf.get(trace_id) !== checksum) continue;
    changedTraceIds.delete(trace_id);
    const usage = JSON.parse(root_usage) as RootUsage;
    const other = valid.get(call_id);
    if (other !== undefined && other.trace_id !== trace_id) ambiguousIds.add(call_id);
    valid.set(call_id, { trace_id, usage });
  }
  // An id that is in two traces is found in one of them, as it is live.
  for (const id of ambiguousIds) valid.delete(id);
  return { valid, changedTraceIds };
}

/** What is answered from rollups of roots. */
export interface SettledRows extends QueriedRows {
  /** Of each answered call its trace. */
  readonly traceIdOf: ReadonlyMap<string, string>;
}

/** The usage of each call whose sums are each of calls with the same price. */
export function* fromRootRollups(
  valid: RootRollups['valid'],
  prices: PriceSnapshot | null,
): Steps<SettledRows> {
  const boundaries = prices?.boundaries ?? noBoundaries;
  const rows: UsageRow[] = [];
  const unfinishedCallIds: string[] = [];
  const traceIdOf = new Map<string, string>();
  for (const [callId, { trace_id, usage }] of valid) {
    yield;
    const callRows = toRows(usage, boundaries);
    if (callRows === null) continue;
    traceIdOf.set(callId, trace_id);
    for (const row of callRows) {
      rows.push(fromRollup(row, callId, prices));
      yield;
    }
    yield* append(unfinishedCallIds, usage.unfinished_call_ids);
    yield* append(unfinishedCallIds, usage.deleted_open_call_ids);
  }
  return { rows, unfinishedCallIds, traceIdOf };
}

/** @returns a row per sum, the first with the calls; null if a price may begin inside a sum */
function toRows(usage: RootUsage, boundaries: PriceBoundaries): RolledUpRow[] | null {
  const rows: RolledUpRow[] = [];
  let { calls, unfinished_call_ids } = usage;
  for (const sum of usage.sums.length === 0 ? [noSum] : usage.sums) {
    const priceClass = findPriceClass(sum, boundaries);
    if (priceClass === null) return null;
    const { model, service_tier, counters } = sum;
    const { period_us, prompt_size, minute_of_week } = priceClass;
    const price = { service_tier, period_us, prompt_size, minute_of_week };
    rows.push({ model, ...price, counters, calls, unfinished_call_ids });
    [calls, unfinished_call_ids] = ['0', []];
  }
  return rows;
}

/** Of calls without usage. */
const noSum: RootSum = {
  model: '',
  service_tier: '',
  min_started_us: '0',
  max_started_us: '0',
  min_prompt_size: '0',
  max_prompt_size: '0',
  counters: [],
};
