/**
 * A second, simplest possible implementation of POST /calls/usage, to compare the service with: loops over everything
 * that was sent, with integers of any size, without SQL and floating point, and without code of the service. It is slow
 * and keeps everything in memory.
 *
 * Events are listed in the order in which they were acknowledged. An answer and a deletion depend on the set of parts
 * before them, not on the order of these parts.
 */
import { callKey } from './call-key.ts';
import { countedCalls } from './counted-calls.ts';
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
  readonly costs: Costs;
  /** The price holds for prompts of more tokens only; 0: for all. */
  readonly promptTokensAbove: bigint;
  /** Empty: standard, and all tiers without a price of their own. */
  readonly serviceTier: string;
  /** From `start` to before `end`, in minutes since Monday 00:00 UTC; empty: always. */
  readonly minutesOfWeek: readonly { readonly start: number; readonly end: number }[];
}

/** An undefined cost is that of a more general class. */
export interface Costs {
  readonly prompt: string;
  readonly completion: string;
  readonly cacheRead?: string | undefined;
  readonly cacheWrite?: string | undefined;
  readonly cacheWrite1h?: string | undefined;
  readonly audioInput?: string | undefined;
  readonly audioOutput?: string | undefined;
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

/** What is read of an entry of `summary.usage`: a path of keys for each number. */
export const fieldPaths = {
  requests: ['requests'],
  prompt: ['prompt_tokens'],
  completion: ['completion_tokens'],
  total: ['total_tokens'],
  input: ['input_tokens'],
  output: ['output_tokens'],
  cacheRead: ['cache_read_input_tokens'],
  cacheWrite: ['cache_creation_input_tokens'],
  promptCached: ['prompt_tokens_details', 'cached_tokens'],
  inputCached: ['input_tokens_details', 'cached_tokens'],
  completionReasoning: ['completion_tokens_details', 'reasoning_tokens'],
  outputReasoning: ['output_tokens_details', 'reasoning_tokens'],
  thoughts: ['thoughts_tokens'],
  grossInput: ['gross_input_tokens'],
  cacheWrite1h: ['cache_creation', 'ephemeral_1h_input_tokens'],
  cacheWrite5m: ['cache_creation', 'ephemeral_5m_input_tokens'],
  promptCacheWrite: ['prompt_tokens_details', 'cache_write_tokens'],
  inputCacheWrite: ['input_tokens_details', 'cache_write_tokens'],
  promptAudio: ['prompt_tokens_details', 'audio_tokens'],
  inputAudio: ['input_tokens_details', 'audio_tokens'],
  completionAudio: ['completion_tokens_details', 'audio_tokens'],
  outputAudio: ['output_tokens_details', 'audio_tokens'],
  cachedAudio: ['prompt_tokens_details', 'cached_tokens_details', 'audio_tokens'],
  cached: ['cached_tokens'],
  promptCacheHit: ['prompt_cache_hit_tokens'],
} as const;

type FieldName = keyof typeof fieldPaths | 'unknownRequests';

const fieldNames = [...Object.keys(fieldPaths), 'unknownRequests'] as FieldName[];

/** The numbers of an entry, as they are stored. */
export type Fields = Readonly<Record<FieldName, bigint>>;

/** What a call stored of one model. */
interface Entry {
  readonly fields: Fields;
  readonly serviceTier: string;
  /** Whether it has `cache_creation` or `service_tier`, as entries with Anthropic's own counts have. */
  readonly hasFieldsOfAnthropic: boolean;
  readonly hasThoughts: boolean;
}

/** The usage of one call and model by the counting rules; classes are disjoint. */
interface Counters {
  readonly requests: bigint;
  readonly prompt: bigint;
  readonly completion: bigint;
  readonly total: bigint;
  readonly cacheRead: bigint;
  readonly cacheWrite: bigint;
  readonly cacheWrite1h: bigint;
  readonly audioInput: bigint;
  readonly audioOutput: bigint;
  readonly unknownRequests: bigint;
}

/** What a span of OpenTelemetry is; agents include workflows. */
export type SpanKind = 'other' | 'inference' | 'tool' | 'agent';

/** A call whose start has arrived; other calls are ignored. */
export interface Call {
  readonly id: string;
  readonly traceId: string;
  readonly parentId: string | undefined;
  /** Undefined until it has arrived, too. */
  parent: Call | undefined;
  readonly startedAt: bigint;
  /** Undefined while there is no end. */
  readonly endedAt: bigint | undefined;
  readonly mode: 'own' | 'rolled_up' | 'otel';
  readonly spanKind: SpanKind;
  readonly scope: string;
  /** Empty without one. */
  readonly responseId: string;
  readonly key: bigint;
  /** Whether an npm package `weave` sent it that stores Anthropic's counts as they are. */
  readonly isNativeSdk: boolean;
  readonly isDeleted: boolean;
  readonly opName: string;
  readonly userId: string;
  readonly threadId: string;
  readonly hasError: boolean;
  readonly stored: ReadonlyMap<string, Entry>;
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
  for (const call of touched) if (call.endedAt === undefined) unfinished.push(call.id);
  unfinished.sort(compareByCodePoint);
  return { kind: 'usage', callUsage, unfinishedCallIds: unfinished };
}

/** A call of an answer of POST /trace/usage. */
export interface TreeCall {
  readonly call: Call;
  readonly usage: ReadonlyMap<string, ModelUsage>;
  readonly children: number;
  readonly descendants: number;
  /** What the call used if it is requested alone. */
  readonly usageAlone: ReadonlyMap<string, ModelUsage>;
  /** Of it and its descendants. */
  readonly unfinishedIds: readonly string[];
}

/**
 * The answer to POST /trace/usage about a trace: what each call contributes to it. For a level only what is below top calls
 * decides which span of a response counts, since only these calls are read.
 */
export function answerTrace(
  events: readonly Event[],
  request: Pick<UsageRequest, 'project' | 'includeCosts'> & { readonly traceId: string },
  isLevel: boolean,
): TreeCall[] {
  const calls = callsOf(events, request.project);
  const present = calls.filter((call) => call.traceId === request.traceId && !call.isDeleted);
  present.sort((a, b) => ((a.startedAt - b.startedAt || a.key - b.key) < 0n ? -1 : 1));
  const deciding = new Set(isLevel ? present.filter(isBelowTop) : present);
  const countedInTrace = countedCalls(deciding, calls);
  return present.map((call) => {
    const subtree = subtreeOf(calls, call.id);
    const counted = new Set([...countedInTrace].filter((each) => subtree.has(each)));
    const isChildOfCall = (each: Call): boolean => each !== call && isChild(each, call);
    return {
      call,
      usage: rollUp(subtree, calls, events, request, counted),
      children: present.filter(isChildOfCall).length,
      descendants: subtree.size - 1,
      usageAlone: rollUp(subtree, calls, events, request),
      unfinishedIds: [...subtree].flatMap(({ id, endedAt }) => (endedAt === undefined ? [id] : [])),
    };
  });
}

/** Whether a call descends from none that is present. */
export function isTop({ parent, ...call }: Call): boolean {
  return parent === undefined || parent.isDeleted || parent.id === call.id;
}

/** Whether a call descends from a top call, or is one: not so in and below a cycle. */
export function isBelowTop(call: Call): boolean {
  const passed = new Set<Call>();
  for (let each = call; !passed.has(each); each = each.parent ?? each) {
    if (isTop(each)) return true;
    passed.add(each);
  }
  return false;
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

export function callsOf(events: readonly Event[], project: string): Call[] {
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
      endedAt: end === undefined ? undefined : microseconds(end.get('ended_at') as string),
      parent: undefined,
      mode: modeOf(start),
      spanKind: (at(start.get('span'), 'kind') ?? 'other') as SpanKind,
      scope: (at(start.get('span'), 'scope') ?? '') as string,
      responseId: (at(end?.get('output'), 'id') ?? '') as string,
      key: callKey(traceId, id),
      isNativeSdk: isNativeSdk(start.get('attributes')),
      isDeleted: deleted.has(id),
      opName: (start.get('op_name') ?? '') as string,
      userId: (start.get('wb_user_id') ?? '') as string,
      threadId: (start.get('thread_id') ?? '') as string,
      hasError: typeof end?.get('exception') === 'string',
      stored: storedUsage(end),
    });
  }
  for (const call of calls) call.parent = calls.find((other) => isChild(call, other));
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

/** A span of OpenTelemetry is a part with the object `span`. */
function modeOf(start: JsonObject): Call['mode'] {
  const weave = at(start.get('attributes'), 'weave');
  const rollup = at(weave, 'usage_rollup');
  if (rollup === 'own' || rollup === 'rolled_up' || rollup === 'otel') return rollup;
  if (start.has('span')) return 'otel';
  const source = at(weave, 'source');
  return source === 'js-sdk' || source === 'python-sdk' ? 'rolled_up' : 'own';
}

/** The npm package before 0.12.0, pre-releases of that included. */
function isNativeSdk(attributes: Json | undefined): boolean {
  const weave = at(attributes, 'weave');
  const version = at(weave, 'client_version');
  if (at(weave, 'source') !== 'js-sdk' || typeof version !== 'string') return false;
  const [, major, minor, patch, rest] = /^(\d+)\.(\d+)\.(\d+)(.*)$/.exec(version) ?? [];
  if (major !== '0') return false;
  return Number(minor) < 12 || (minor === '12' && patch === '0' && rest !== '');
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

/** What an end stored of each model. */
export function storedUsage(end: JsonObject | undefined): Map<string, Entry> {
  const stored = new Map<string, Entry>();
  const usage = at(end?.get('summary'), 'usage');
  if (!isObject(usage)) return stored;
  for (const [model, entry] of usage) {
    if (isObject(entry)) stored.set(model, toEntry(entry, at(end?.get('output'), 'service_tier')));
  }
  return stored;
}

function toEntry(entry: JsonObject, outputTier: Json | undefined): Entry {
  const values = Object.entries(fieldPaths).map(
    ([name, path]) => [name, count(at(entry, ...path))] as const,
  );
  const tokens = values.filter(([name]) => name !== 'requests');
  const numbers = Object.fromEntries(values.map(([name, value]) => [name, value ?? 0n]));
  if (numbers['cachedAudio'] === 0n) {
    const path = ['input_tokens_details', 'cached_tokens_details', 'audio_tokens'];
    numbers['cachedAudio'] = count(at(entry, ...path)) ?? 0n;
  }
  const isKnown = tokens.some(([, value]) => value !== undefined);
  const unknownRequests = isKnown ? 0n : numbers['requests']!;
  const tier = entry.get('service_tier') ?? outputTier ?? '';
  return {
    fields: { ...(numbers as Fields), unknownRequests },
    serviceTier: (tier as string).toLowerCase(),
    hasFieldsOfAnthropic:
      isObject(entry.get('cache_creation')) || typeof entry.get('service_tier') === 'string',
    hasThoughts: (entry.get('thoughts_tokens') ?? null) !== null,
  };
}

/** The value at a path of keys. */
function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let found = value;
  for (const key of path) found = isObject(found) ? found.get(key) : undefined;
  return found;
}

/** A count is an integer from 0 to 2^53 - 1, in any notation or as text of digits alone. */
function count(value: Json | undefined): bigint | undefined {
  const text = typeof value === 'string' && /^\d+$/.test(value) ? value : undefined;
  if (!(value instanceof JsonNumber) && text === undefined) return undefined;
  const { units, decimals } = exact(text ?? (value as JsonNumber).text);
  const one = 10n ** decimals;
  if (units < 0n || units % one !== 0n || units / one >= 2n ** 53n) return undefined;
  return units / one;
}

/** The usage of a call without that of its children, which the SDK of a rolled-up call has added. */
function ownUsage(call: Call, calls: readonly Call[]): Map<string, Counters> {
  const own = new Map<string, Counters>();
  const added = calls.filter((child) => isAdded(child, call));
  for (const [model, entry] of call.stored) {
    const rest: Record<string, bigint> = {};
    for (const name of fieldNames) {
      let left = entry.fields[name];
      for (const child of added) left -= child.stored.get(model)?.fields[name] ?? 0n;
      rest[name] = left < 0n ? 0n : left;
    }
    own.set(model, countersOf(model, entry, rest as Fields, call.isNativeSdk));
  }
  return own;
}

/** Whether an SDK has added the usage of a child to what the parent stored. */
function isAdded(child: Call, parent: Call): boolean {
  // A call is not its own child, even if it is its own parent.
  if (child === parent || !isChild(child, parent)) return false;
  if (child.mode !== 'rolled_up' || parent.mode !== 'rolled_up') return false;
  if (child.endedAt === undefined || parent.endedAt === undefined) return false;
  if (child.endedAt > parent.endedAt) return false;
  const total = storedTotal(parent);
  return total === 0n || storedTotal(child) <= total;
}

function storedTotal(call: Call): bigint {
  let sum = 0n;
  for (const { fields } of call.stored.values()) {
    const { prompt, completion } = read(fields, isOnePair(fields));
    sum += greatest(fields.total, prompt + completion);
  }
  return sum;
}

/** Whether one pair of counts is stored under both of its names. */
function isOnePair(fields: Fields): boolean {
  const { prompt, completion, input, output, total } = fields;
  return prompt === input && completion === output && total === prompt + completion;
}

/** The first field above 0 of each counter, before tokens beside the counts are added. */
function read(fields: Fields, isPairTwice: boolean) {
  const both = (a: bigint, b: bigint): bigint => (isPairTwice ? greatest(a, b) : a + b);
  const first = (...values: bigint[]): bigint => values.find((value) => value > 0n) ?? 0n;
  return {
    prompt: greatest(fields.grossInput, both(fields.prompt, fields.input)),
    completion: both(fields.completion, fields.output),
    cacheRead: first(
      fields.cacheRead,
      both(fields.promptCached, fields.inputCached),
      fields.cached,
      fields.promptCacheHit,
    ),
    cacheWrite: first(
      fields.cacheWrite,
      fields.cacheWrite1h + fields.cacheWrite5m,
      both(fields.promptCacheWrite, fields.inputCacheWrite),
    ),
    reasoning: first(fields.thoughts, both(fields.completionReasoning, fields.outputReasoning)),
    audioInput: both(fields.promptAudio, fields.inputAudio),
    audioOutput: both(fields.completionAudio, fields.outputAudio),
  };
}

/**
 * The counting rules.
 * @param entry as it was stored, from which the rules conclude
 * @param rest of it without children, to which they are applied
 */
function countersOf(model: string, entry: Entry, rest: Fields, isNativeSdk: boolean): Counters {
  const isPairTwice = isOnePair(entry.fields);
  const stored = read(entry.fields, isPairTwice);
  const own = read(rest, isPairTwice);
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  // Cached tokens beside the prompt.
  const isNative =
    stored.cacheRead + stored.cacheWrite > stored.prompt ||
    (name.includes('claude') && isNativeSdk && entry.hasFieldsOfAnthropic);
  let { prompt, completion } = own;
  let storedPrompt = stored.prompt;
  if (isNative) {
    prompt += own.cacheRead + own.cacheWrite;
    storedPrompt += stored.cacheRead + stored.cacheWrite;
  }
  // Reasoning beside the completion.
  const withReasoning = storedPrompt + stored.completion + stored.reasoning;
  if (entry.fields.total >= withReasoning) completion += own.reasoning;
  // The prompt of tools, which only Google's total has.
  const isGoogle = name.includes('gemini') || entry.hasThoughts;
  const beyond = rest.total - prompt - completion;
  if (isGoogle && beyond > 0n) prompt += beyond;
  // Classes are disjoint.
  let left = prompt;
  const take = (tokens: bigint): bigint => {
    const taken = least(tokens, left);
    left -= taken;
    return taken;
  };
  const cacheRead = take(own.cacheRead);
  const cacheWrite = take(own.cacheWrite);
  const cacheWrite1h = least(rest.cacheWrite1h, cacheWrite);
  return {
    requests: rest.requests,
    prompt,
    completion,
    total: greatest(rest.total, prompt + completion),
    cacheRead,
    cacheWrite: cacheWrite - cacheWrite1h,
    cacheWrite1h,
    audioInput: take(own.audioInput - least(rest.cachedAudio, own.audioInput)),
    audioOutput: least(own.audioOutput, completion),
    unknownRequests: least(rest.unknownRequests, rest.requests),
  };
}

function greatest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** The sums of one model. */
interface Sum {
  requests: bigint;
  prompt: bigint;
  completion: bigint;
  total: bigint;
  /** Of those calls whose cost is known. */
  cost: Cost | undefined;
}

interface Cost {
  prompt: bigint;
  completion: bigint;
}

function rollUp(
  subtree: ReadonlySet<Call>,
  calls: readonly Call[],
  events: readonly Event[],
  { project, includeCosts }: Pick<UsageRequest, 'project' | 'includeCosts'>,
  counted: ReadonlySet<Call> = countedCalls(subtree, calls),
): Map<string, ModelUsage> {
  const sums = new Map<string, Sum>();
  for (const call of counted) {
    for (const [model, counters] of ownUsage(call, calls)) {
      const sum = sums.get(model) ?? emptySum();
      sums.set(model, sum);
      sum.requests += counters.requests;
      sum.prompt += counters.prompt;
      sum.completion += counters.completion;
      sum.total += counters.total;
      const cost = includeCosts ? costOf(events, project, call, model, counters) : undefined;
      if (cost === undefined) continue;
      sum.cost ??= { prompt: 0n, completion: 0n };
      sum.cost.prompt += cost.prompt;
      sum.cost.completion += cost.completion;
    }
  }
  const usage = new Map<string, ModelUsage>();
  for (const [model, { requests, prompt, completion, total, cost }] of sums) {
    if (requests + prompt + completion + total === 0n) continue;
    usage.set(model, {
      requests,
      promptTokens: prompt,
      completionTokens: completion,
      totalTokens: total,
      promptCost: cost === undefined ? null : toNumber(cost.prompt),
      completionCost: cost === undefined ? null : toNumber(cost.completion),
    });
  }
  return usage;
}

/** Undefined if the usage has no price. */
function costOf(
  events: readonly Event[],
  project: string,
  call: Call,
  model: string,
  counters: Counters,
): Cost | undefined {
  // Nobody knows what these requests used; without requests there is nothing to price.
  if (counters.total === 0n && counters.requests === counters.unknownRequests) return undefined;
  const tier = call.stored.get(model)?.serviceTier ?? '';
  const price = priceOf(events, project, model, toPricedCall(call, counters, tier));
  if (price === undefined) return undefined;
  return {
    prompt: promptCost(counters, price.costs),
    completion: completionCost(counters, price.costs),
  };
}

/** What one call used of one model, without what it repeats of other calls. */
export interface UsageEntry {
  readonly call: Call;
  readonly model: string;
  readonly counters: Counters;
  /** Undefined if the usage has no price. */
  readonly cost: Cost | undefined;
}

/**
 * The usage of all calls of a project, each once. What spans repeat is decided on whole traces, whatever is above them.
 */
export function usageEntries(events: readonly Event[], project: string): UsageEntry[] {
  const calls = callsOf(events, project);
  const entries: UsageEntry[] = [];
  for (const traceId of new Set(calls.map((call) => call.traceId))) {
    const trace = new Set(calls.filter((call) => call.traceId === traceId && !call.isDeleted));
    for (const call of countedCalls(trace, calls)) {
      for (const [model, counters] of ownUsage(call, calls)) {
        const { requests, prompt, completion, total } = counters;
        if (requests + prompt + completion + total === 0n) continue;
        const cost = costOf(events, project, call, model, counters);
        entries.push({ call, model, counters, cost });
      }
    }
  }
  return entries;
}

function emptySum(): Sum {
  return { requests: 0n, prompt: 0n, completion: 0n, total: 0n, cost: undefined };
}

// Prices

/** Money is an integer in units of 10^-60 USD. */
const moneyDecimals = 60n;

function promptCost(counters: Counters, costs: Costs): bigint {
  const { cacheRead, cacheWrite, cacheWrite1h, audioInput } = counters;
  const text = counters.prompt - cacheRead - cacheWrite - cacheWrite1h - audioInput;
  const writeCost = costs.cacheWrite ?? costs.prompt;
  return (
    text * money(costs.prompt) +
    cacheRead * money(costs.cacheRead ?? costs.prompt) +
    cacheWrite * money(writeCost) +
    cacheWrite1h * money(costs.cacheWrite1h ?? writeCost) +
    audioInput * money(costs.audioInput ?? costs.prompt)
  );
}

function completionCost({ completion, audioOutput }: Counters, costs: Costs): bigint {
  return (
    (completion - audioOutput) * money(costs.completion) +
    audioOutput * money(costs.audioOutput ?? costs.completion)
  );
}

/** What decides the price of a model. */
interface PricedCall {
  readonly startedAt: bigint;
  /** Minutes since Monday 00:00 UTC. */
  readonly minute: bigint;
  /** Prompt tokens of one request. */
  readonly promptSize: bigint;
  readonly serviceTier: string;
}

function toPricedCall(call: Call, { prompt, requests }: Counters, serviceTier: string): PricedCall {
  const perWeek = 7n * 24n * 60n;
  // 1 January 1970 was a Thursday; a call before 1970 started in the minute that it had not left yet.
  const minutes = floorDivide(call.startedAt, 60_000_000n) + 3n * 24n * 60n;
  const divisor = greatest(requests, 1n);
  return {
    startedAt: call.startedAt,
    minute: ((minutes % perWeek) + perWeek) % perWeek,
    promptSize: (prompt + divisor - 1n) / divisor,
    serviceTier,
  };
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a >= 0n ? a / b : -((-a + b - 1n) / b);
}

/** The price of a model for a call of a project. */
function priceOf(
  events: readonly Event[],
  project: string,
  model: string,
  call: PricedCall,
): Price | undefined {
  const named: Price[] = [];
  for (const event of events) {
    if (event.kind !== 'price' || event.price.model !== model) continue;
    if (event.price.project === undefined || event.price.project === project)
      named.push(event.price);
  }
  // A project's price in force replaces the default ones in every class.
  const isReplaced = named.some(
    (price) => price.project !== undefined && microseconds(price.effectiveDate) <= call.startedAt,
  );
  let best: Price | undefined;
  for (const price of named) {
    if (!holdsFor(price, call) || (isReplaced && price.project === undefined)) continue;
    // Of equal prices, the one created last applies.
    if (best === undefined || !isBefore(best, price, call.startedAt)) best = price;
  }
  return best;
}

function holdsFor(price: Price, call: PricedCall): boolean {
  if (price.promptTokensAbove > 0n && call.promptSize <= price.promptTokensAbove) return false;
  if (price.serviceTier !== '' && price.serviceTier !== call.serviceTier) return false;
  if (price.minutesOfWeek.length === 0) return true;
  return price.minutesOfWeek.some(
    ({ start, end }) => BigInt(start) <= call.minute && call.minute < BigInt(end),
  );
}

/** Whether price a strictly precedes price b. */
function isBefore(a: Price, b: Price, startedAt: bigint): boolean {
  const [dateA, dateB] = [microseconds(a.effectiveDate), microseconds(b.effectiveDate)];
  const [inForceA, inForceB] = [dateA <= startedAt, dateB <= startedAt];
  if (inForceA !== inForceB) return inForceA;
  if ((a.project === undefined) !== (b.project === undefined)) return a.project !== undefined;
  if (dateA !== dateB) return inForceA ? dateA > dateB : dateA < dateB;
  if ((a.serviceTier === '') !== (b.serviceTier === '')) return a.serviceTier !== '';
  const [hoursA, hoursB] = [a.minutesOfWeek.length > 0, b.minutesOfWeek.length > 0];
  if (hoursA !== hoursB) return hoursA;
  return a.promptTokensAbove > b.promptTokensAbove;
}

function money(text: string): bigint {
  const { units, decimals } = exact(text);
  if (decimals > moneyDecimals)
    throw new RangeError(`${text} has more than ${moneyDecimals} decimals`);
  return units * 10n ** (moneyDecimals - decimals);
}

/** The double nearest to an amount: JavaScript rounds decimal text of any length correctly. */
export function toNumber(amount: bigint): number {
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
export function microseconds(text: string): bigint {
  const [, seconds, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text)!;
  const wholeSeconds = BigInt(Date.parse(`${seconds!}${zone!}`)) / 1000n;
  return wholeSeconds * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** JavaScript compares UTF-16 code units, which orders characters beyond U+FFFF differently. */
export function compareByCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
