/**
 * A second, simplest possible implementation of POST /calls/usage, to compare the service with: loops over everything
 * that was sent, with integers of any size, without SQL and floating point, and without code of the service. It is slow
 * and keeps everything in memory.
 *
 * Events are listed in the order in which they were acknowledged. An answer and a deletion depend on the set of parts
 * before them, not on the order of these parts.
 */
import { isObject, JsonNumber, type Json, type JsonObject } from './json.ts';

/** A request that the service acknowledged. A part is the JSON object `start` or `end`, or an item of a batch. */
export type Event =
  | { readonly kind: 'start' | 'end' | 'whole'; readonly part: JsonObject }
  | { readonly kind: 'deletion'; readonly project: string; readonly callIds: readonly string[] }
  | { readonly kind: 'price'; readonly price: Price };

/** A row of the price table. Costs are texts of JSON numbers, in USD per token. */
export interface Price {
  /** Undefined for a default price. */
  readonly project: string | undefined;
  readonly model: string;
  /** ISO 8601. */
  readonly effectiveDate: string;
  readonly promptCost: string;
  readonly completionCost: string;
  readonly cacheReadCost: string | undefined;
  readonly cacheCreationCost: string | undefined;
}

export interface UsageRequest {
  readonly project: string;
  readonly callIds: readonly string[];
  readonly includeCosts: boolean;
  readonly limit: bigint;
}

export type Answer =
  | {
      readonly kind: 'usage';
      /** In the order of the request. */
      readonly callUsage: ReadonlyMap<string, ReadonlyMap<string, ModelUsage>>;
      readonly unfinishedCallIds: readonly string[];
    }
  | { readonly kind: 'limit_exceeded'; readonly touched: bigint; readonly limit: bigint };

export interface ModelUsage {
  readonly requests: bigint;
  readonly promptTokens: bigint;
  readonly completionTokens: bigint;
  readonly totalTokens: bigint;
  /** null if costs were not requested or the model has no price. */
  readonly promptCost: number | null;
  readonly completionCost: number | null;
}

/** The usage of one call and one model. */
export interface Counters {
  readonly requests: bigint;
  readonly prompt: bigint;
  readonly completion: bigint;
  readonly total: bigint;
  readonly cacheRead: bigint;
  readonly cacheCreation: bigint;
}

const counterNames = [
  'requests',
  'prompt',
  'completion',
  'total',
  'cacheRead',
  'cacheCreation',
] as const satisfies (keyof Counters)[];

/** A call whose start has arrived; other calls are ignored. */
interface Call {
  readonly id: string;
  readonly traceId: string;
  readonly parentId: string | undefined;
  readonly startedAt: bigint;
  readonly isRolledUp: boolean;
  readonly isFinished: boolean;
  readonly isDeleted: boolean;
  readonly stored: ReadonlyMap<string, Counters>;
}

/** The answer to a usage request after these events. */
export function answer(events: readonly Event[], usageRequest: UsageRequest): Answer {
  const calls = callsOf(events, usageRequest.project);
  const touched = touchedCalls(calls, usageRequest.callIds);
  if (BigInt(touched.size) > usageRequest.limit) {
    return { kind: 'limit_exceeded', touched: BigInt(touched.size), limit: usageRequest.limit };
  }
  const callUsage = new Map<string, Map<string, ModelUsage>>();
  for (const id of usageRequest.callIds) {
    callUsage.set(id, rollUp(subtreeOf(calls, id), calls, events, usageRequest));
  }
  const unfinished: string[] = [];
  for (const call of touched) if (!call.isFinished) unfinished.push(call.id);
  unfinished.sort(compareByCodePoint);
  return { kind: 'usage', callUsage, unfinishedCallIds: unfinished };
}

/** How many calls a usage request covers: the requested calls and their descendants, each once. */
export function countTouched(
  events: readonly Event[],
  usageRequest: Pick<UsageRequest, 'project' | 'callIds'>,
): bigint {
  return BigInt(touchedCalls(callsOf(events, usageRequest.project), usageRequest.callIds).size);
}

/** The answer of POST /calls/delete after these events: how many calls it newly deletes. */
export function countDeleted(
  events: readonly Event[],
  project: string,
  callIds: readonly string[],
): bigint {
  const before = callsOf(events, project);
  const after = callsOf([...events, { kind: 'deletion', project, callIds }], project);
  return countDeletedCalls(after) - countDeletedCalls(before);
}

function countDeletedCalls(calls: readonly Call[]): bigint {
  let count = 0n;
  for (const call of calls) if (call.isDeleted) count += 1n;
  return count;
}

// Calls

function callsOf(events: readonly Event[], project: string): Call[] {
  const starts = new Map<string, JsonObject>();
  const ends = new Map<string, JsonObject>();
  const deleted = new Set<string>();
  for (const event of events) {
    if (event.kind === 'price') continue;
    if (event.kind === 'deletion') {
      if (event.project !== project) continue;
      for (const id of idsOfSubtrees(starts, event.callIds)) deleted.add(id);
      continue;
    }
    if (event.part.get('project_id') !== project) continue;
    const id = event.part.get('id') as string;
    if (event.kind !== 'end') starts.set(id, event.part);
    if (event.kind !== 'start') ends.set(id, event.part);
  }
  const calls: Call[] = [];
  for (const [id, start] of starts) {
    const end = ends.get(id);
    const { traceId, parentId } = placeOf(start);
    calls.push({
      id,
      traceId,
      parentId,
      startedAt: microseconds(start.get('started_at') as string),
      isRolledUp: isRolledUp(start.get('attributes')),
      isFinished: end !== undefined,
      isDeleted: deleted.has(id),
      stored: storedUsage(end?.get('summary')),
    });
  }
  return calls;
}

/** The ids of calls and of all their descendants, deleted or not. */
function idsOfSubtrees(
  starts: ReadonlyMap<string, JsonObject>,
  ids: readonly string[],
): Set<string> {
  const found = new Set<string>();
  for (const id of ids) if (starts.has(id)) found.add(id);
  // Iterating over a Set includes elements that are added meanwhile, and adding an element twice has no effect.
  for (const ancestorId of found) {
    const { traceId } = placeOf(starts.get(ancestorId)!);
    for (const [id, start] of starts) {
      const place = placeOf(start);
      if (place.parentId === ancestorId && place.traceId === traceId) found.add(id);
    }
  }
  return found;
}

function placeOf(start: JsonObject): { traceId: string; parentId: string | undefined } {
  const parentId = start.get('parent_id');
  return {
    traceId: start.get('trace_id') as string,
    parentId: typeof parentId === 'string' ? parentId : undefined,
  };
}

function isRolledUp(attributes: Json | undefined): boolean {
  const weave = isObject(attributes) ? attributes.get('weave') : undefined;
  if (!isObject(weave)) return false;
  const rollup = weave.get('usage_rollup');
  // Any other text means that usage is the call's own.
  if (typeof rollup === 'string' && rollup !== '') return rollup === 'rolled_up';
  const source = weave.get('source');
  return source === 'js-sdk' || source === 'python-sdk';
}

// Trees

/** The call with this id and its descendants; empty if it is unknown or deleted. */
function subtreeOf(calls: readonly Call[], id: string): Set<Call> {
  const members = new Set<Call>();
  for (const call of calls) if (call.id === id && !call.isDeleted) members.add(call);
  // As in idsOfSubtrees, elements that are added meanwhile are included, and a cycle adds nothing new.
  for (const member of members) {
    for (const call of calls) if (isChild(call, member) && !call.isDeleted) members.add(call);
  }
  return members;
}

function touchedCalls(calls: readonly Call[], ids: readonly string[]): Set<Call> {
  const touched = new Set<Call>();
  for (const id of new Set(ids)) for (const call of subtreeOf(calls, id)) touched.add(call);
  return touched;
}

function isChild(call: Call, parent: Call): boolean {
  return call.parentId === parent.id && call.traceId === parent.traceId;
}

// Usage

/** The usage of each model in a call's summary. */
export function storedUsage(summary: Json | undefined): Map<string, Counters> {
  const stored = new Map<string, Counters>();
  const usage = isObject(summary) ? summary.get('usage') : undefined;
  if (!isObject(usage)) return stored;
  for (const [model, entry] of usage) if (isObject(entry)) stored.set(model, countersOf(entry));
  return stored;
}

function countersOf(entry: JsonObject): Counters {
  const prompt = count(entry.get('prompt_tokens')) + count(entry.get('input_tokens'));
  const completion = count(entry.get('completion_tokens')) + count(entry.get('output_tokens'));
  const total = count(entry.get('total_tokens'));
  const details = entry.get('prompt_tokens_details');
  const nested = isObject(details) ? details.get('cached_tokens') : undefined;
  return {
    requests: count(entry.get('requests')),
    prompt,
    completion,
    total: total === 0n ? prompt + completion : total,
    cacheRead: count(entry.get('cache_read_input_tokens') ?? nested),
    cacheCreation: count(entry.get('cache_creation_input_tokens')),
  };
}

/** A count is an integer from 0 to 2^53 - 1 in any notation; anything else is 0. */
function count(value: Json | undefined): bigint {
  if (!(value instanceof JsonNumber)) return 0n;
  const { units, decimals } = exact(value.text);
  const one = 10n ** decimals;
  if (units < 0n || units % one !== 0n || units / one >= 2n ** 53n) return 0n;
  return units / one;
}

/** The usage of a call without that of its children, which the SDK of a rolled-up call has added. */
function ownUsage(call: Call, calls: readonly Call[]): ReadonlyMap<string, Counters> {
  if (!call.isRolledUp) return call.stored;
  const ofChildren = new Map<string, Counters>();
  for (const child of calls) {
    // A call is not its own child, even if it is its own parent.
    if (child === call || !child.isRolledUp || !isChild(child, call)) continue;
    for (const [model, counters] of child.stored) {
      ofChildren.set(
        model,
        combine(ofChildren.get(model) ?? zero, counters, (a, b) => a + b),
      );
    }
  }
  for (const [model, counters] of ofChildren) {
    const stored = call.stored.get(model) ?? zero;
    for (const name of counterNames) if (stored[name] < counters[name]) return call.stored;
  }
  const own = new Map<string, Counters>();
  for (const [model, counters] of call.stored) {
    own.set(
      model,
      combine(counters, ofChildren.get(model) ?? zero, (a, b) => a - b),
    );
  }
  return own;
}

const zero: Counters = {
  requests: 0n,
  prompt: 0n,
  completion: 0n,
  total: 0n,
  cacheRead: 0n,
  cacheCreation: 0n,
};

function combine(a: Counters, b: Counters, how: (a: bigint, b: bigint) => bigint): Counters {
  return {
    requests: how(a.requests, b.requests),
    prompt: how(a.prompt, b.prompt),
    completion: how(a.completion, b.completion),
    total: how(a.total, b.total),
    cacheRead: how(a.cacheRead, b.cacheRead),
    cacheCreation: how(a.cacheCreation, b.cacheCreation),
  };
}

function rollUp(
  subtree: ReadonlySet<Call>,
  calls: readonly Call[],
  events: readonly Event[],
  usageRequest: UsageRequest,
): Map<string, ModelUsage> {
  const sums = new Map<string, Counters>();
  const costs = new Map<string, { prompt: bigint; completion: bigint }>();
  for (const call of subtree) {
    for (const [model, counters] of ownUsage(call, calls)) {
      sums.set(
        model,
        combine(sums.get(model) ?? zero, counters, (a, b) => a + b),
      );
      const price = priceOf(events, usageRequest.project, model, call.startedAt);
      if (price === undefined || !usageRequest.includeCosts) continue;
      const cost = costs.get(model) ?? { prompt: 0n, completion: 0n };
      cost.prompt += promptCost(counters, price);
      cost.completion += counters.completion * money(price.completionCost);
      costs.set(model, cost);
    }
  }
  const usage = new Map<string, ModelUsage>();
  for (const [model, sum] of sums) {
    if (sum.requests + sum.prompt + sum.completion + sum.total === 0n) continue;
    const cost = costs.get(model);
    usage.set(model, {
      requests: sum.requests,
      promptTokens: sum.prompt,
      completionTokens: sum.completion,
      totalTokens: sum.total,
      promptCost: cost === undefined ? null : toNumber(cost.prompt),
      completionCost: cost === undefined ? null : toNumber(cost.completion),
    });
  }
  return usage;
}

// Prices

/** Money is an integer in units of 10^-60 USD. */
const moneyDecimals = 60n;

function promptCost(counters: Counters, price: Price): bigint {
  const { prompt, cacheRead, cacheCreation } = counters;
  const rest = prompt - cacheRead - cacheCreation;
  const uncached = rest < 0n ? prompt : rest;
  return (
    uncached * money(price.promptCost) +
    cacheRead * money(price.cacheReadCost ?? price.promptCost) +
    cacheCreation * money(price.cacheCreationCost ?? price.promptCost)
  );
}

/** The price of a model for a call of a project with this start time. */
function priceOf(
  events: readonly Event[],
  project: string,
  model: string,
  startedAt: bigint,
): Price | undefined {
  let best: Price | undefined;
  for (const event of events) {
    if (event.kind !== 'price' || event.price.model !== model) continue;
    if (event.price.project !== undefined && event.price.project !== project) continue;
    // Of equal prices, the one created last applies.
    if (best === undefined || !isBefore(best, event.price, startedAt)) best = event.price;
  }
  return best;
}

/** Whether price a strictly precedes price b. */
function isBefore(a: Price, b: Price, startedAt: bigint): boolean {
  const [dateA, dateB] = [microseconds(a.effectiveDate), microseconds(b.effectiveDate)];
  const [inForceA, inForceB] = [dateA <= startedAt, dateB <= startedAt];
  if (inForceA !== inForceB) return inForceA;
  if ((a.project === undefined) !== (b.project === undefined)) return a.project !== undefined;
  return inForceA ? dateA > dateB : dateA < dateB;
}

function money(text: string): bigint {
  const { units, decimals } = exact(text);
  if (decimals > moneyDecimals)
    throw new RangeError(`${text} has more than ${moneyDecimals} decimals`);
  return units * 10n ** (moneyDecimals - decimals);
}

/** The double nearest to an amount: JavaScript rounds decimal text of any length correctly. */
function toNumber(amount: bigint): number {
  return Number(`${String(amount)}e-${String(moneyDecimals)}`);
}

// Numbers, times, order

/** A JSON number as units × 10^-decimals. */
function exact(text: string): { units: bigint; decimals: bigint } {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const units = BigInt(`${whole!}${fraction}`) * (sign === '-' ? -1n : 1n);
  const decimals = BigInt(fraction.length) - BigInt(exponent.replace('+', ''));
  return decimals >= 0n ? { units, decimals } : { units: units * 10n ** -decimals, decimals: 0n };
}

/** Microseconds since 1970 of an ISO 8601 time with `Z` or an offset; further digits are truncated. */
function microseconds(text: string): bigint {
  const [, seconds, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text)!;
  const wholeSeconds = BigInt(Date.parse(`${seconds!}${zone!}`)) / 1000n;
  return wholeSeconds * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** JavaScript compares UTF-16 code units, which orders characters beyond U+FFFF differently. */
function compareByCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
