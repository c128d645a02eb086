/** A call as ClickHouse returns it; numbers are text, because they have 64 bits. */
export interface FetchedCall {
  readonly key: string;
  readonly parent: string;
  /** 0 own, 1 rolled up, 2 a span of OpenTelemetry. */
  readonly usage_mode: number;
  readonly is_tool: number;
  readonly usage: readonly (readonly [string, ...string[]])[];
}

/** Requests, prompt, completion and total tokens by call (or trace) and model, separated by a line feed. */
export type Totals = Map<string, number[]>;

/** Requests, prompt, completion and total tokens by model. */
type Sums = Map<string, number[]>;

/**
 * Rolls the calls up in this process, as Weave does. Unlike Weave it subtracts the usage that SDKs have already rolled
 * up into parents, and leaves out what spans of OpenTelemetry repeat of spans below them, so that its result can be
 * compared with that of the other strategies. Of spans that are repeated by siblings there are none here.
 *
 * @param requested the keys of the requested calls by id
 * @returns totals by key and model
 */
export function rollUpCalls(
  calls: readonly FetchedCall[],
  requested: ReadonlyMap<string, string>,
): Totals {
  const callsByKey = new Map(calls.map((call) => [call.key, call]));
  const childrenByKey = groupByParent(calls);
  const repeated = findRepeated(calls, callsByKey);
  const totals: Totals = new Map();
  for (const key of requested.values()) {
    const root = callsByKey.get(key);
    if (root === undefined) continue;
    for (const [model, numbers] of sumSubtree(root, childrenByKey, repeated)) {
      totals.set(`${key}\n${model}`, numbers);
    }
  }
  return totals;
}

function groupByParent(calls: readonly FetchedCall[]): ReadonlyMap<string, FetchedCall[]> {
  const childrenByKey = new Map<string, FetchedCall[]>();
  for (const call of calls) {
    const siblings = childrenByKey.get(call.parent);
    if (siblings === undefined) childrenByKey.set(call.parent, [call]);
    else siblings.push(call);
  }
  return childrenByKey;
}

/** The spans whose usage is that of spans below them: each call with usage has the nearest one above it, up to a tool. */
function findRepeated(
  calls: readonly FetchedCall[],
  callsByKey: ReadonlyMap<string, FetchedCall>,
): ReadonlySet<FetchedCall> {
  const repeated = new Set<FetchedCall>();
  for (const call of calls) {
    if (call.usage.length === 0) continue;
    let above = callsByKey.get(call.parent);
    while (above !== undefined && above.usage.length === 0 && above.is_tool === 0) {
      above = callsByKey.get(above.parent);
    }
    if (above?.usage_mode === 2 && above.usage.length > 0) repeated.add(above);
  }
  return repeated;
}

function sumSubtree(
  root: FetchedCall,
  childrenByKey: ReadonlyMap<string, readonly FetchedCall[]>,
  repeated: ReadonlySet<FetchedCall>,
): Sums {
  const sums: Sums = new Map();
  const stack = [root];
  for (let call = stack.pop(); call !== undefined; call = stack.pop()) {
    const children = childrenByKey.get(call.key) ?? [];
    for (const child of children) stack.push(child);
    if (repeated.has(call)) continue;
    for (const [model, numbers] of toOwnUsage(call, children)) add(sums, model, numbers, 1);
  }
  return sums;
}

function toOwnUsage(call: FetchedCall, children: readonly FetchedCall[]): Sums {
  const stored = toStoredUsage(call);
  if (call.usage_mode !== 1) return stored;
  const own = toStoredUsage(call);
  for (const child of children) {
    if (child.usage_mode !== 1) continue;
    for (const [model, numbers] of toStoredUsage(child)) add(own, model, numbers, -1);
  }
  const includesChildren = [...own.values()].every((numbers) =>
    numbers.every((number) => number >= 0),
  );
  if (!includesChildren) return stored;
  return new Map([...own].filter(([, numbers]) => numbers.some((number) => number > 0)));
}

function toStoredUsage({ usage }: FetchedCall): Sums {
  const sums: Sums = new Map();
  for (const [model, ...numbers] of usage) add(sums, model, numbers.map(Number), 1);
  return sums;
}

/** Adds the numbers to a model's sums, or subtracts them. */
function add(sums: Sums, model: string, numbers: readonly number[], sign: 1 | -1): void {
  const sum = sums.get(model) ?? numbers.map(() => 0);
  sums.set(model, sum);
  for (const [index, number] of numbers.entries()) sum[index] = (sum[index] ?? 0) + sign * number;
}
