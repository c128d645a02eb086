import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { PriceBoundaries } from '../../prices/snapshot/price-level.ts';
import { runInSlices, type Steps } from '../../slices/run-in-slices.ts';
import type { PricedRow } from '../query/usage-row.ts';
import { needsRules, type StoredSums } from '../usage-counters.ts';
import { type CallDetails, type DetailsParameters, readCallDetails } from './call-details.ts';
import { readTogether } from '../query/read-together.ts';

/** A row of stored_usage.sql. */
export interface StoredUsageRow extends StoredSums, PricedRow {
  readonly call_key: string;
  /** The key of the parent; `0` for none. */
  readonly parent_key: string;
  /** Empty for calls without usage. */
  readonly counters: readonly string[];
  readonly has_children: 0 | 1;
  /** Bits: 1 if an SDK rolls usage up, 2 for a span of OpenTelemetry. */
  readonly usage_modes: number;
  /** An integer as text. */
  readonly calls: string;
  readonly unfinished_call_ids: readonly string[];
}

/** Calls, and what they stored as their usage; both in any order. */
export interface DescribedCalls {
  readonly details: readonly CallDetails[];
  readonly usage: readonly StoredUsageRow[];
}

export interface StoredUsageReads {
  /** Of details. */
  readonly reserve: Required<ReadOptions>['reserve'];
  /** Of usage. */
  readonly reserveUsage: Required<ReadOptions>['reserve'];
  readonly signal: AbortSignal;
}

/**
 * Reads details and stored usage of calls at the same time. A call may end meanwhile, or an orphan end of it be stored: where
 * its details have an end that its usage lacks, its usage is read again. So the usage of a call that is shown as ended is that
 * of its end.
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function readDescribedCalls(
  clickhouse: ClickHouse,
  parameters: DetailsParameters,
  boundaries: PriceBoundaries,
  { signal, reserve, reserveUsage }: StoredUsageReads,
): Promise<DescribedCalls> {
  const { project_id, trace_ids, keys } = parameters;
  const read = (of: Pick<DetailsParameters, 'trace_ids' | 'keys'>, signal: AbortSignal) =>
    clickhouse.read<StoredUsageRow>(
      'stored_usage',
      { project_id, ...of, ...boundaries },
      { signal, reserve: reserveUsage },
    );
  const [details, usage] = await readTogether<[CallDetails[], StoredUsageRow[]]>(signal, [
    (signal) => readCallDetails(clickhouse, parameters, { signal, reserve }),
    (signal) => read({ trace_ids, keys }, signal),
  ]);
  const ended = await runInSlices(findEnded(details, usage), signal);
  if (ended.size === 0) return { details, usage };
  const again = { trace_ids: [...new Set(ended.values())], keys: [...ended.keys()] };
  const newer = await read(again, signal);
  return { details, usage: [...usage.filter((row) => !ended.has(row.call_key)), ...newer] };
}

/** The traces, by key, of the calls that have ended since their usage was read. */
function* findEnded(
  details: readonly CallDetails[],
  usage: readonly StoredUsageRow[],
): Steps<ReadonlyMap<string, string>> {
  const open = new Set<string>();
  for (const { call_key, unfinished_call_ids } of usage) {
    if (unfinished_call_ids.length > 0) open.add(call_key);
    yield;
  }
  const ended = new Map<string, string>();
  if (open.size === 0) return ended;
  for (const { key, trace_id, ended_at } of details) {
    if (ended_at !== null && open.has(key)) ended.set(key, trace_id);
    yield;
  }
  return ended;
}

/** Whether a call may have used something else than it stored. */
export function needsCounting(row: StoredUsageRow): boolean {
  const isRolledUp = (row.usage_modes & 1) !== 0;
  return isSpan(row) || (isRolledUp && row.has_children === 1) || needsRules(row);
}

/** Whether the call is a span of OpenTelemetry. */
export function isSpan({ usage_modes }: StoredUsageRow): boolean {
  return (usage_modes & 2) !== 0;
}
