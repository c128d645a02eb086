import type { Steps } from '../slices/run-in-slices.ts';
import { type Money, toNumber } from '../money.ts';
import type { ModelUsage, Usage } from './roll-up.ts';
import { sortByCodePoint } from './sort-by-code-point.ts';

/** What the text of an answer is built from. */
export interface UsageAnswer {
  /** In the order of the answer. */
  readonly callIds: readonly string[];
  readonly usages: ReadonlyMap<string, Usage>;
  /** In any order. */
  readonly unfinishedCallIds: readonly string[];
}

/**
 * The text of a `CallsUsageRes`: models by code point, models without usage left out; undefined where there was work
 * without text. It is written by hand because JavaScript objects reorder keys that look like integers and have no room
 * for `__proto__`, and JSON.stringify writes no integers beyond 2^53.
 */
export function* toUsageFragments({
  callIds,
  usages,
  unfinishedCallIds,
}: UsageAnswer): Generator<string | undefined, void, undefined> {
  yield '{"call_usage":{';
  let separator = '';
  for (const id of callIds) {
    yield `${separator}${JSON.stringify(id)}:{`;
    yield* toModelFragments(usages.get(id) ?? noUsage);
    yield '}';
    separator = ',';
  }
  yield '},"unfinished_call_ids":[';
  separator = '';
  for (const id of yield* sortByCodePoint(unfinishedCallIds)) {
    yield `${separator}${JSON.stringify(id)}`;
    separator = ',';
  }
  yield ']}';
}

const noUsage: Usage = new Map();

function* toModelFragments(usage: Usage): Generator<string | undefined, void, undefined> {
  let separator = '';
  for (const model of yield* sortByCodePoint([...usage.keys()])) {
    const sums = usage.get(model);
    if (sums === undefined || isUnused(sums)) continue;
    yield `${separator}${JSON.stringify(model)}:${toModelJson(sums)}`;
    separator = ',';
  }
}

/** Whether every model of the calls has a price. */
export function* arePriced({ callIds, usages }: UsageAnswer): Steps<boolean> {
  for (const id of callIds) {
    for (const sums of usages.get(id)?.values() ?? []) {
      if (sums.promptCost === null && !isUnused(sums)) return false;
      yield;
    }
  }
  return true;
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
