import { addMoney, type Money } from '../../money.ts';
import type { UsageCounters } from '../../prices/snapshot/chosen-price.ts';
import type { Steps } from '../../slices/run-in-slices.ts';
import { sortInSteps } from '../../slices/sort-in-steps.ts';
import { addEach } from '../priced-usage.ts';
import { fromCounted } from '../usage-counters.ts';
import { choosePrice, type RequestedPrices } from '../query/usage-row.ts';
import type { CallStatsRow, UsageStatsRow } from './sources/stats-source.ts';

/** Usage of one bucket and group. */
export interface UsageSum {
  /** Calls times models. */
  readonly entries: bigint;
  readonly counters: UsageCounters;
  /** Entries with a cost. */
  readonly pricedEntries: bigint;
  readonly promptCost: Money | null;
  readonly completionCost: Money | null;
  /** What is not in the costs. */
  readonly unpriced: UnpricedUsage;
  /** Those of the prices. */
  readonly providerIds: readonly string[];
  /** By position of `values` in stats_row.sql, those of each entry, ascending; empty unless needed. */
  readonly values: number[][];
}

/** Calls of one bucket and group. */
export interface CallSum {
  readonly calls: bigint;
  readonly errors: bigint;
  readonly finishedCalls: bigint;
  readonly latencyUs: bigint;
  /** Ascending; empty unless needed. */
  readonly latenciesUs: number[];
}

/** Usage that no cost contains. */
interface UnpricedUsage {
  readonly requests: bigint;
  readonly promptTokens: bigint;
  readonly completionTokens: bigint;
  readonly totalTokens: bigint;
}

/** Sums by group and bucket. A group is a list of values in the order of the request, as JSON. */
export interface GroupedSums<Sum> {
  readonly groups: ReadonlyMap<string, ReadonlyMap<bigint, Sum>>;
}

export interface UsageSums extends GroupedSums<UsageSum> {
  /** By model. */
  readonly unpriced: ReadonlyMap<string, UnpricedUsage>;
}

/** What usage or calls are grouped by. */
export type GroupName = 'model' | 'op_name' | 'wb_user_id' | 'thread_id';

/** @param prices null where no cost is requested; everything is then without a price, and nothing `unpriced` */
export function* sumUsage(
  rows: readonly UsageStatsRow[],
  groupBy: readonly GroupName[],
  prices: RequestedPrices,
): Steps<UsageSums> {
  const groups = new Map<string, Map<bigint, UsageSum>>();
  const unpriced = new Map<string, UnpricedUsage>();
  for (const row of rows) {
    const sums = toSums(groups, toGroup(row, groupBy));
    const bucket = BigInt(row.bucket_us);
    const sum = toUsageSum(row, prices);
    const before = sums.get(bucket) ?? { ...emptyUsage, values: [] };
    yield* appendValues(before.values, row.values);
    sums.set(bucket, addUsage(before, sum));
    const missing = sum.unpriced;
    if (missing.requests + missing.totalTokens > 0n) {
      unpriced.set(row.model, addUnpriced(unpriced.get(row.model) ?? noUsage, missing));
    }
  }
  for (const sums of groups.values()) {
    for (const { values } of sums.values()) {
      for (const [position, list] of values.entries()) {
        values[position] = yield* sortInSteps(list, byNumber);
      }
    }
  }
  return { groups, unpriced };
}

/** Calls are not grouped by model. */
export function* sumCalls(
  rows: readonly CallStatsRow[],
  groupBy: readonly GroupName[],
): Steps<GroupedSums<CallSum>> {
  const groups = new Map<string, Map<bigint, CallSum>>();
  const names = groupBy.filter((name) => name !== 'model');
  for (const row of rows) {
    const sums = toSums(groups, toGroup({ ...row, model: '' }, names));
    const bucket = BigInt(row.bucket_us);
    const before = sums.get(bucket) ?? { ...emptyCalls, latenciesUs: [] };
    yield* appendNumbers(before.latenciesUs, row.latencies_us);
    sums.set(bucket, addCalls(before, row));
  }
  for (const sums of groups.values()) {
    for (const [bucket, sum] of sums) {
      sums.set(bucket, { ...sum, latenciesUs: yield* sortInSteps(sum.latenciesUs, byNumber) });
    }
  }
  return { groups };
}

function byNumber(a: number, b: number): number {
  return a - b;
}

function toSums<Sum>(groups: Map<string, Map<bigint, Sum>>, group: string): Map<bigint, Sum> {
  const sums = groups.get(group) ?? new Map<bigint, Sum>();
  groups.set(group, sums);
  return sums;
}

function toGroup(
  row: Pick<UsageStatsRow, 'model' | 'value_1' | 'value_2'>,
  groupBy: readonly GroupName[],
): string {
  const values = [row.value_1, row.value_2].values();
  return JSON.stringify(
    groupBy.map((name) => (name === 'model' ? row.model : (values.next().value ?? ''))),
  );
}

function* appendValues(lists: number[][], entries: readonly (readonly string[])[]): Steps<void> {
  for (const entry of entries) {
    for (const [position, value] of entry.entries()) (lists[position] ??= []).push(Number(value));
    yield;
  }
  yield;
}

function* appendNumbers(list: number[], texts: readonly string[]): Steps<void> {
  for (const text of texts) {
    list.push(Number(text));
    yield;
  }
  yield;
}

function toUsageSum(row: UsageStatsRow, prices: RequestedPrices): Omit<UsageSum, 'values'> {
  const counters = fromCounted(row.counters);
  const knownEntries = BigInt(row.known_entries);
  const price = knownEntries === 0n ? null : choosePrice(row, prices);
  const cost = price?.cost(counters);
  const promptCost = cost?.prompt ?? null;
  return {
    entries: BigInt(row.entries),
    counters,
    pricedEntries: price === null ? 0n : knownEntries,
    promptCost,
    completionCost: cost?.completion ?? null,
    unpriced: prices === null ? noUsage : toUnpriced(counters, promptCost),
    providerIds: price === null ? [] : [price.row.providerId],
  };
}

const noUsage: UnpricedUsage = {
  requests: 0n,
  promptTokens: 0n,
  completionTokens: 0n,
  totalTokens: 0n,
};

const emptyUsage: Omit<UsageSum, 'values'> = {
  entries: 0n,
  counters: [],
  pricedEntries: 0n,
  promptCost: null,
  completionCost: null,
  unpriced: noUsage,
  providerIds: [],
};

function addUsage(a: UsageSum, b: Omit<UsageSum, 'values'>): UsageSum {
  return {
    entries: a.entries + b.entries,
    counters: addEach(a.counters, b.counters),
    pricedEntries: a.pricedEntries + b.pricedEntries,
    promptCost: addMoney(a.promptCost, b.promptCost),
    completionCost: addMoney(a.completionCost, b.completionCost),
    unpriced: addUnpriced(a.unpriced, b.unpriced),
    providerIds: addIds(a.providerIds, b.providerIds),
    values: a.values,
  };
}

/** Without a copy in the usual case of ids that are there. */
function addIds(ids: readonly string[], more: readonly string[]): readonly string[] {
  const added = more.filter((id) => !ids.includes(id));
  return added.length === 0 ? ids : [...ids, ...added];
}

const emptyCalls: Omit<CallSum, 'latenciesUs'> = {
  calls: 0n,
  errors: 0n,
  finishedCalls: 0n,
  latencyUs: 0n,
};

function addCalls(sum: CallSum, row: CallStatsRow): CallSum {
  return {
    calls: sum.calls + BigInt(row.calls),
    errors: sum.errors + BigInt(row.errors),
    finishedCalls: sum.finishedCalls + BigInt(row.finished_calls),
    latencyUs: sum.latencyUs + BigInt(row.latency_us),
    latenciesUs: sum.latenciesUs,
  };
}

/** Without a price everything; with one, the requests of which nobody knows what they used. */
function toUnpriced(counters: UsageCounters, promptCost: Money | null): UnpricedUsage {
  const [requests = 0n, promptTokens = 0n, completionTokens = 0n, totalTokens = 0n] = counters;
  if (promptCost === null) return { requests, promptTokens, completionTokens, totalTokens };
  return { ...noUsage, requests: counters[11] ?? 0n };
}

function addUnpriced(a: UnpricedUsage, b: UnpricedUsage): UnpricedUsage {
  return {
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    totalTokens: a.totalTokens + b.totalTokens,
  };
}
