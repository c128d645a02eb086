import type { Steps } from '../slices/run-in-slices.ts';
import { type Money, toNumber } from '../money.ts';
import type { ModelUsage, Usage } from './model-usage.ts';
import { sortByCodePoint } from './sort-by-code-point.ts';

/** The text of a `CallsUsageRes`: models without usage are left out. */
export function toUsageFragments(
  answer: UsageAnswer<ModelUsage>,
  more: Iterable<string> = [],
): Fragments {
  return toAnswerFragments(answer, toModelFragments, more);
}

/** What the text of an answer is built from. */
export interface UsageAnswer<Sum> {
  /** In the order of the answer. */
  readonly callIds: readonly string[];
  /** Sums by call and key; see {@link RolledUp}. */
  readonly usages: ReadonlyMap<string, ReadonlyMap<string, Sum>>;
  /** In any order. */
  readonly unfinishedCallIds: readonly string[];
}

/** JSON text in pieces; undefined where there was work without text. */
export type Fragments = Generator<string | undefined, void, undefined>;

/**
 * An answer by call, with the ids of unfinished calls. It is written by hand because JavaScript objects reorder keys that
 * look like integers and have no room for `__proto__`, and JSON.stringify writes no integers beyond 2^53.
 * @param toFragments writes the members of the object of one call, models by code point
 * @param more further members of the answer, each with a comma before it
 */
export function* toAnswerFragments<Sum>(
  { callIds, usages, unfinishedCallIds }: UsageAnswer<Sum>,
  toFragments: (sums: ReadonlyMap<string, Sum>) => Fragments,
  more: Iterable<string> = [],
): Fragments {
  yield '{"call_usage":{';
  let separator = '';
  for (const id of callIds) {
    yield `${separator}${JSON.stringify(id)}:{`;
    const sums = usages.get(id);
    if (sums !== undefined) yield* toFragments(sums);
    yield '}';
    separator = ',';
  }
  yield '},"unfinished_call_ids":[';
  separator = '';
  for (const id of yield* sortByCodePoint(unfinishedCallIds)) {
    yield `${separator}${JSON.stringify(id)}`;
    separator = ',';
  }
  yield ']';
  yield* more;
  yield '}';
}

function* toModelFragments(usage: Usage): Fragments {
  let separator = '';
  for (const model of yield* sortByCodePoint([...usage.keys()])) {
    const sums = usage.get(model);
    if (sums === undefined || isUnused(sums)) continue;
    yield `${separator}${JSON.stringify(model)}:{${toTokensJson(sums)},${toCostsJson(sums)}}`;
    separator = ',';
  }
}

/** Whether every model of the calls has a price. */
export function* arePriced({ callIds, usages }: UsageAnswer<ModelUsage>): Steps<boolean> {
  for (const id of callIds) {
    for (const sums of usages.get(id)?.values() ?? []) {
      if (sums.promptCost === null && !isUnused(sums)) return false;
      yield;
    }
  }
  return true;
}

export function isUnused(sums: ModelUsage): boolean {
  const { requests, promptTokens, completionTokens, totalTokens } = sums;
  return requests === 0n && promptTokens === 0n && completionTokens === 0n && totalTokens === 0n;
}

/** Members of an object. */
export function toTokensJson(
  tokens: Pick<ModelUsage, 'requests' | 'promptTokens' | 'completionTokens' | 'totalTokens'>,
): string {
  return (
    `"requests":${tokens.requests},"prompt_tokens":${tokens.promptTokens}` +
    `,"completion_tokens":${tokens.completionTokens},"total_tokens":${tokens.totalTokens}`
  );
}

function toCostsJson({ promptCost, completionCost }: ModelUsage): string {
  return (
    `"prompt_tokens_total_cost":${toCostJson(promptCost)}` +
    `,"completion_tokens_total_cost":${toCostJson(completionCost)}`
  );
}

function toCostJson(cost: Money | null): string {
  return cost === null ? 'null' : JSON.stringify(toNumber(cost));
}
