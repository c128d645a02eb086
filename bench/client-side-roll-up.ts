import type { Totals } from './strategies.ts';

/** A call as the database has it; numbers are quoted, being 64-bit. */
export interface FetchedCall {
  readonly key: string;
  readonly parent: string;
  readonly is_rolled_up: number;
  readonly usage: readonly (readonly [string, ...string[]])[];
}

type Sums = Map<string, number[]>;

/**
 * Adds calls up in the process, as Weave does, but for what SDKs have added twice, which Weave would count twice
 * and this takes out, so that it answers the same question.
 *
 * @param roots the keys of the requested calls by id
 * @returns totals by key
 */
export function foldCalls(
  calls: readonly FetchedCall[],
  roots: ReadonlyMap<string, string>,
): Totals {
  const children = new Map<string, FetchedCall[]>();
  const byKey = new Map<string, FetchedCall>();
  for (const call of calls) {
    byKey.set(call.key, call);
    const siblings = children.get(call.parent);
    if (siblings === undefined) children.set(call.parent, [call]);
    else siblings.push(call);
  }
  const totals: Totals = new Map();
  for (const root of roots.values()) {
    const sums: Sums = new Map();
    const first = byKey.get(root);
    const waiting = first === undefined ? [] : [first];
    for (let call = waiting.pop(); call !== undefined; call = waiting.pop()) {
      const below = children.get(call.key) ?? [];
      for (const child of below) waiting.push(child);
      for (const [model, numbers] of ownUsage(call, below)) add(sums, model, numbers, 1);
    }
    for (const [model, numbers] of sums) totals.set(`${root}\n${model}`, numbers);
  }
  return totals;
}

function ownUsage(call: FetchedCall, below: readonly FetchedCall[]): Sums {
  const stored = toSums([call], 1);
  if (call.is_rolled_up === 0) return stored;
  const own = toSums([call], 1);
  for (const child of below) {
    if (child.is_rolled_up === 0) continue;
    for (const [model, ...numbers] of child.usage) add(own, model, numbers.map(Number), -1);
  }
  const isMore = [...own.values()].every((numbers) => numbers.every((number) => number >= 0));
  if (!isMore) return stored;
  return new Map([...own].filter(([, numbers]) => numbers.some((number) => number > 0)));
}

function toSums(calls: readonly FetchedCall[], sign: 1 | -1): Sums {
  const sums: Sums = new Map();
  for (const { usage } of calls) {
    for (const [model, ...numbers] of usage) add(sums, model, numbers.map(Number), sign);
  }
  return sums;
}

function add(sums: Sums, model: string, numbers: readonly number[], sign: 1 | -1): void {
  const sum = sums.get(model);
  if (sum === undefined)
    sums.set(
      model,
      numbers.map((number) => sign * number),
    );
  else numbers.forEach((number, index) => (sum[index] = (sum[index] ?? 0) + sign * number));
}
