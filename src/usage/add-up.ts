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
  readonly usage: Usage;
  above: string;
}

/** The answer, before it is written. */
export interface AddedUp {
  /** Of every requested call that is there: its usage and that of all its descendants. */
  readonly usages: ReadonlyMap<string, Usage>;
  /** How many distinct calls were counted. */
  readonly calls: bigint;
  /** Those of them that have no end, unsorted. */
  readonly unfinishedCallIds: readonly string[];
}

/**
 * Adds the rows of calls_usage.sql up, so that a requested call inside another one's subtree counts in both. The
 * rows are at most one per requested call and model: nothing here grows with the number of calls in a trace.
 */
export function addUp(rows: readonly UsageRow[]): AddedUp {
  const there = new Set(rows.filter((row) => row.is_there).map((row) => row.call_id));
  const counted = rows.filter((row) => there.has(row.call_id));
  const regions = toRegions(counted);
  addAlongLinks(regions);
  return {
    usages: new Map([...regions].map(([callId, { usage }]) => [callId, usage])),
    calls: counted.reduce((sum, row) => sum + BigInt(row.calls), 0n),
    unfinishedCallIds: counted.flatMap((row) => row.unfinished_call_ids),
  };
}

function toRegions(rows: readonly UsageRow[]): Map<string, Region> {
  const regions = new Map<string, Region>();
  for (const row of rows) {
    let region = regions.get(row.call_id);
    if (region === undefined) regions.set(row.call_id, (region = { usage: new Map(), above: '' }));
    if (row.is_there) region.above = row.above_call_id;
    region.usage.set(row.model, toModelUsage(row));
  }
  return regions;
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
function addAlongLinks(regions: Map<string, Region>): void {
  const below = countBelow(regions);
  const done = [...regions.keys()].filter((callId) => !below.has(callId));
  for (const callId of done) {
    const region = regions.get(callId);
    const above = regions.get(region?.above ?? '');
    if (region === undefined || above === undefined) continue;
    addUsage(above.usage, region.usage);
    const left = (below.get(region.above) ?? 0) - 1;
    below.set(region.above, left);
    if (left === 0) done.push(region.above);
  }
  const inCycles = new Set(regions.keys());
  for (const callId of done) inCycles.delete(callId);
  for (const callId of inCycles) shareCycle(callId, regions, inCycles);
}

/** How many requested calls stand directly below each. */
function countBelow(regions: ReadonlyMap<string, Region>): Map<string, number> {
  const below = new Map<string, number>();
  for (const { above } of regions.values()) {
    if (regions.has(above)) below.set(above, (below.get(above) ?? 0) + 1);
  }
  return below;
}

function shareCycle(start: string, regions: Map<string, Region>, inCycles: Set<string>): void {
  const members: Region[] = [];
  for (let callId = start; inCycles.delete(callId);) {
    const region = regions.get(callId);
    if (region === undefined) break;
    members.push(region);
    callId = region.above;
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
