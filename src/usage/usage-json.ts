import { type Money, toNumber } from './money.ts';
import type { ModelUsage, Usage } from './roll-up.ts';

/**
 * Writes a `CallsUsageRes`: calls in the given order, models by code point, models without usage left out. It is
 * written by hand because JavaScript objects reorder keys that look like integers and have no room for `__proto__`,
 * and JSON.stringify writes no integers beyond 2^53.
 */
export function toUsageJson(
  callIds: readonly string[],
  usages: ReadonlyMap<string, Usage>,
  unfinishedCallIds: readonly string[],
): string {
  const calls = callIds.map((id) => [id, toCallJson(usages.get(id) ?? noUsage)] as const);
  const unfinished = JSON.stringify(sortByCodePoint(unfinishedCallIds, (id) => id));
  return `{"call_usage":${toObjectJson(calls)},"unfinished_call_ids":${unfinished}}`;
}

/** Whether every model of a call has a price. */
export function isPriced(usage: Usage | undefined): boolean {
  return [...(usage?.values() ?? [])].every((sums) => sums.promptCost !== null || isUnused(sums));
}

const noUsage: Usage = new Map();

function toCallJson(usage: Usage): string {
  const used = [...usage].filter(([, sums]) => !isUnused(sums));
  const models = sortByCodePoint(used, ([model]) => model);
  return toObjectJson(models.map(([model, sums]) => [model, toModelJson(sums)]));
}

function isUnused(sums: ModelUsage): boolean {
  const { requests, promptTokens, completionTokens, totalTokens } = sums;
  return requests === 0n && promptTokens === 0n && completionTokens === 0n && totalTokens === 0n;
}

function toModelJson(sums: ModelUsage): string {
  return (
    `{"requests":${sums.requests},"prompt_tokens":${sums.promptTokens}` +
    `,"completion_tokens":${sums.completionTokens},"total_tokens":${sums.totalTokens}` +
    `,"prompt_tokens_total_cost":${toCostJson(sums.promptCost)}` +
    `,"completion_tokens_total_cost":${toCostJson(sums.completionCost)}}`
  );
}

function toCostJson(cost: Money | null): string {
  return cost === null ? 'null' : JSON.stringify(toNumber(cost));
}

/** @param members names and the JSON of their values */
function toObjectJson(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

/** Sorts as Python does and as ClickHouse sorts bytes; JavaScript itself puts U+E000 after U+10000. */
function sortByCodePoint<T>(items: readonly T[], textOf: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, bytes: Buffer.from(textOf(item)) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ item }) => item);
}
