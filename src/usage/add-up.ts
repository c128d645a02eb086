import { addMoney, type Money, parseMoney } from './money.ts';
import type { UsageRow } from './usage-row.ts';

/** What one model used and cost. */
export interface ModelUsage {
  requests: bigint;
  promptTokens: bigint;
  completionTokens: bigint;
  totalTokens: bigint;
  promptCost: Money | null;
  completionCost: Money | null;
}

/** From model name to its usage. */
export type Usage = Map<string, ModelUsage>;

/** A requested call that is there, with the usage of the calls to which it is the nearest requested one. */
interface Region {
  readonly callId: string;
  readonly usage: Usage;
  readonly aboveKey: string;
  calls: bigint;
  readonly unfinishedCallIds: string[];
}

/** From key to region. */
type Regions = ReadonlyMap<string, Region>;

/** What some requested calls touch: themselves and their descendants. */
interface Touched {
  /** How many distinct calls. */
  readonly calls: bigint;
  /** Those of them that have no end, unsorted. */
  readonly unfinishedCallIds: readonly string[];
}

/** The answers to all calls that were asked for together. */
export interface AddedUp {
  /** Of every requested call that is there: its usage and that of all its descendants. */
  readonly usages: ReadonlyMap<string, Usage>;
  /** What these of the requested calls touch. */
  readonly touchedBy: (callIds: readonly string[]) => Touched;
}

/**
 * Adds the rows that answer a question up, so that a requested call inside another one's subtree counts in both. The
 * rows are one per requested call, model and price: nothing here grows with the calls of a trace.
 */
export function addUp(rows: readonly UsageRow[]): AddedUp {
  const regions = toRegions(rows);
  for (const row of rows) addRow(regions, row);
  addAlongLinks(regions);
  const usages = new Map([...regions.values()].map(({ callId, usage }) => [callId, usage]));
  const below = toBelow(regions);
  return { usages, touchedBy: (callIds) => touch(regions, below, new Set(callIds)) };
}

/** The keys of the requested calls directly below each. */
function toBelow(regions: Regions): ReadonlyMap<string, readonly string[]> {
  const below = new Map<string, string[]>();
  for (const [key, { aboveKey }] of regions) {
    const siblings = below.get(aboveKey);
    if (siblings === undefined) below.set(aboveKey, [key]);
    else siblings.push(key);
  }
  return below;
}

function touch(
  regions: Regions,
  below: ReadonlyMap<string, readonly string[]>,
  callIds: ReadonlySet<string>,
): Touched {
  const keys = new Set<string>();
  for (const [key, { callId }] of regions) if (callIds.has(callId)) keys.add(key);
  // A set takes what is added while it is walked.
  for (const key of keys) for (const inner of below.get(key) ?? []) keys.add(inner);
  const touched = [...keys].flatMap((key) => regions.get(key) ?? []);
  return {
    calls: touched.reduce((sum, { calls }) => sum + calls, 0n),
    unfinishedCallIds: touched.flatMap((region) => region.unfinishedCallIds),
  };
}

/** The requested calls that are there; what stands below another one, unknown or deleted, is nobody's. */
function toRegions(rows: readonly UsageRow[]): Regions {
  const regions = new Map<string, Region>();
  for (const { is_here, call_key, call_id, above_key } of rows) {
    if (!is_here) continue;
    const nothing = { usage: new Map(), calls: 0n, unfinishedCallIds: [] };
    regions.set(call_key, { callId: call_id, aboveKey: above_key, ...nothing });
  }
  return regions;
}

function addRow(regions: Regions, row: UsageRow): void {
  const region = regions.get(row.call_key);
  if (region === undefined) return;
  addUsage(region.usage, new Map([[row.model, toModelUsage(row)]]));
  region.calls += BigInt(row.calls);
  for (const id of row.unfinished_call_ids) region.unfinishedCallIds.push(id);
}

function toModelUsage(row: UsageRow): ModelUsage {
  return {
    requests: BigInt(row.requests),
    promptTokens: BigInt(row.prompt_tokens),
    completionTokens: BigInt(row.completion_tokens),
    totalTokens: BigInt(row.total_tokens),
    promptCost: row.prompt_cost === null ? null : parseMoney(row.prompt_cost),
    completionCost: row.completion_cost === null ? null : parseMoney(row.completion_cost),
  };
}

/** Adds every region to the one above it, from the innermost outwards; calls in one cycle share one sum. */
function addAlongLinks(regions: Regions): void {
  const below = countBelow(regions);
  const done = [...regions.keys()].filter((key) => !below.has(key));
  for (const key of done) {
    const region = regions.get(key);
    const above = regions.get(region?.aboveKey ?? '');
    if (region === undefined || above === undefined) continue;
    addUsage(above.usage, region.usage);
    const left = (below.get(region.aboveKey) ?? 0) - 1;
    below.set(region.aboveKey, left);
    if (left === 0) done.push(region.aboveKey);
  }
  const inCycles = new Set(regions.keys());
  for (const key of done) inCycles.delete(key);
  for (const key of inCycles) shareCycle(key, regions, inCycles);
}

/** How many requested calls stand directly below each. */
function countBelow(regions: Regions): Map<string, number> {
  const below = new Map<string, number>();
  for (const { aboveKey } of regions.values()) {
    if (regions.has(aboveKey)) below.set(aboveKey, (below.get(aboveKey) ?? 0) + 1);
  }
  return below;
}

function shareCycle(start: string, regions: Regions, inCycles: Set<string>): void {
  const members: Region[] = [];
  for (let key = start; inCycles.delete(key);) {
    const region = regions.get(key);
    if (region === undefined) break;
    members.push(region);
    key = region.aboveKey;
  }
  const sum: Usage = new Map();
  for (const { usage } of members) addUsage(sum, usage);
  for (const { usage } of members) {
    usage.clear();
    addUsage(usage, sum);
  }
}

function addUsage(to: Usage, from: Usage): void {
  for (const [model, more] of from) {
    const sum = to.get(model);
    to.set(model, sum === undefined ? { ...more } : addModelUsage(sum, more));
  }
}

function addModelUsage(a: ModelUsage, b: ModelUsage): ModelUsage {
  return {
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    promptCost: addMoney(a.promptCost, b.promptCost),
    completionCost: addMoney(a.completionCost, b.completionCost),
  };
}
