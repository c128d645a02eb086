import { addMoney, type Money } from '../../money.ts';
import type { UsageCounters } from '../../prices/snapshot/chosen-price.ts';
import type { TracesQueryReq } from '../../openapi-types.ts';
import type { PricedUsage } from '../priced-usage.ts';
import { fromCounted } from '../usage-counters.ts';
import {
  choosePrice,
  isUncounted,
  type PricedRow,
  type RequestedPrices,
} from '../query/usage-row.ts';
import type { TracePosition } from './trace-position.ts';

/** A trace with the sums of its calls. */
export interface Trace {
  readonly traceId: string;
  readonly root: TraceRoot;
  readonly calls: bigint;
  readonly errors: bigint;
  readonly unfinishedCalls: bigint;
  readonly userIds: readonly string[];
  readonly threadIds: readonly string[];
  readonly usage: TraceUsage;
  /** Whether its rollup was read, not its calls. */
  readonly isSettled: boolean;
}

/** The top call that started first. */
export interface TraceRoot {
  /** Null in a trace without top calls, all of which are in cycles or below some. */
  readonly id: string | null;
  readonly opName: string;
  /** Empty for none. */
  readonly displayName: string;
  /** Microseconds since 1970. */
  readonly startedUs: bigint;
  /** Before the start if the call has no end. */
  readonly endedUs: bigint;
}

/** Instead of the root of a trace without one. @param startedUs when its first call started */
export function toMissingRoot(startedUs: bigint): TraceRoot {
  return { id: null, opName: '', displayName: '', startedUs, endedUs: startedUs - 1n };
}

/** What calls of a trace used of one model at one price. */
export type UsageEntry = Pick<PricedUsage, 'model' | 'price' | 'counters'>;

/** @param row has counters in the order of counting_rules.sql */
export function toUsageEntry(row: PricedRow, prices: RequestedPrices): UsageEntry {
  const counters = fromCounted(row.counters);
  const price = isUncounted(counters) ? null : choosePrice(row, prices);
  return { model: row.model, counters, price };
}

/** What the calls of a trace used; of the spans of a response, one counts. */
export interface TraceUsage {
  /** In any order, without repeats. */
  readonly models: readonly string[];
  readonly requests: bigint;
  readonly promptTokens: bigint;
  readonly completionTokens: bigint;
  readonly totalTokens: bigint;
  /** Null if nothing that was used has a price; 0 if nothing was used. */
  readonly cost: Money | null;
  /** The models of which something is not in the cost. */
  readonly unpricedModels: readonly string[];
}

/** Sums usage; entries of which nothing was used do not count. */
export function sumTraceUsage(entries: Iterable<UsageEntry>): TraceUsage {
  const models = new Set<string>();
  const unpriced = new Set<string>();
  const sums = [0n, 0n, 0n, 0n];
  let cost: Money | null = null;
  for (const { model, price, counters } of entries) {
    if (!isUsed(counters)) continue;
    models.add(model);
    for (const index of sums.keys()) sums[index] = (sums[index] ?? 0n) + (counters[index] ?? 0n);
    const amounts = price?.cost(counters);
    if (amounts !== undefined) cost = addMoney(cost, amounts.prompt + amounts.completion);
    if (amounts === undefined || (counters[unknownRequests] ?? 0n) > 0n) unpriced.add(model);
  }
  const [requests = 0n, promptTokens = 0n, completionTokens = 0n, totalTokens = 0n] = sums;
  return {
    ...{ requests, promptTokens, completionTokens, totalTokens },
    models: [...models],
    cost: models.size === 0 ? 0n : cost,
    unpricedModels: [...unpriced],
  };
}

/** In `UsageCounters`: the requests of which nobody knows what they used. */
const unknownRequests = 11;

function isUsed([requests = 0n, , , total = 0n]: UsageCounters): boolean {
  return requests + total > 0n;
}

/** @returns microseconds; null while the root runs, or if it ended before it started */
export function toDuration({ root }: Pick<Trace, 'root'>): bigint | null {
  return root.endedUs < root.startedUs ? null : root.endedUs - root.startedUs;
}

/** As list_traces.sql orders those of rollups. */
export function toPosition(
  trace: Trace,
  { field, direction }: TracesQueryReq['sort_by'],
): TracePosition {
  const value = toSortNumber(trace, field);
  const sortValue = direction === 'asc' ? (value ?? 0n) : -(value ?? 0n);
  return { isUnknown: value === null, sortValue, traceId: trace.traceId };
}

function toSortNumber(trace: Trace, field: TracesQueryReq['sort_by']['field']): bigint | null {
  switch (field) {
    case 'started_at':
      return trace.root.startedUs;
    case 'cost':
      return trace.usage.cost;
    case 'total_tokens':
      return trace.usage.totalTokens;
    case 'duration':
      return toDuration(trace);
    case 'call_count':
      return trace.calls;
  }
}
