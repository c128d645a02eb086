/** Turns a seed into the requests to send, in order. */
import type {
  CallSeed,
  ForestSeed,
  PhaseSeed,
  PriceSeed,
  RequestSeed,
  Shape,
} from './forest-seed.ts';
import { toJson, toObject, type Json, type JsonObject } from '../json.ts';
import { fieldPaths, type Fields, storedUsage, type Event, type Price } from '../oracle.ts';

export interface Plan {
  readonly phases: readonly PlannedPhase[];
  readonly callCount: number;
}

export interface PlannedPhase {
  readonly prices: readonly PlannedPrice[];
  /** The parts of each request go through one channel. */
  readonly requests: readonly PlannedRequest[];
  readonly parallel: number;
  readonly deletions: readonly { readonly project: string; readonly callIds: readonly string[] }[];
  readonly usageRequests: readonly PlannedUsageRequest[];
}

export interface PlannedPrice {
  readonly price: Price;
  /** Whether the price is deleted as soon as it is created. */
  readonly isDeleted: boolean;
}

export interface PlannedRequest {
  readonly channel: RequestSeed['channel'];
  readonly hasInvalidItem: boolean;
  readonly parts: readonly Part[];
}

export type Part = Extract<Event, { kind: 'start' | 'end' | 'whole' }>;

export interface PlannedUsageRequest {
  readonly project: string;
  readonly callIds: readonly string[];
  readonly includeCosts: boolean;
  readonly limit: 'default' | 'exact' | 'one less' | 'plenty';
}

/** A call with everything that its parts need. */
interface Draft {
  readonly seed: CallSeed;
  readonly project: string;
  readonly id: string;
  readonly trace: string;
  readonly parent: string | undefined;
  readonly sender: CallSeed['sender'];
  readonly isRolledUp: boolean;
  readonly isSpan: boolean;
  readonly startedAt: string;
  readonly endedAt: string;
  /** The first call of its trace. */
  readonly isFirst: boolean;
}

/** Start times of calls and effective dates of prices. Several are the same moment in different notations. */
const times = [
  '2025-07-01T00:00:00Z',
  '2025-07-01T00:00:00.000001Z',
  '2025-06-30T23:59:59.999999Z',
  '2025-07-01T02:00:00.000+02:00',
  '2025-06-30T19:30:00.0000019-04:30',
  '2025-01-01T00:00:00.5Z',
  '2026-12-31T23:59:59.999999Z',
  '1969-07-20T20:17:40.25Z',
  '2024-02-29T12:00:00Z',
  '2262-04-11T23:47:16.854776Z',
  '2025-07-01T03:59:59.999999Z',
  '2025-07-01T04:00:00Z',
];

/** Of the npm package `weave`, the version that first sends Anthropic's counts in sum, and those around it. */
const versions = [
  ...['0.11.1', '0.12.0', '0.12.0-rc.1', '0.12.1-beta', '0.9.10', '1.0.0', '0.53.0'],
  ...['0.12', '', undefined],
];

/** None ends in a digit, so that prefixes with numbers appended are unique. */
const idPrefixes = [
  'call-',
  '',
  '😀',
  '\uffff',
  'é',
  'e\u0301',
  ' ',
  '"\\',
  "it's ",
  'a\u0000b',
  '%',
];

/** Makers whose models count differently are known by the name after the last slash; no other forest uses the names. */
const uniqueModels: ((unique: string) => string)[] = [
  (unique) => `model-${unique}`,
  (unique) => `my-Claude ${unique}`,
  (unique) => `claude/gemini/model-${unique}`,
  (unique) => `house/our GEMINI ${unique}`,
];

/** Model names with special characters or meanings. All other models have names that only one forest uses. */
const sharedModels = ['', '__proto__', ' ', '😀', '0'];

/**
 * @param unique makes the ids of the forest's projects unique
 * @param models makes model names unique; default prices apply to all projects
 */
export function planForest(seed: ForestSeed, unique: string, models = unique): Plan {
  const projects = [`forest-${unique}/one`, `forest-${unique}/two`] as const;
  const projectOf = ({ inOtherProject }: { readonly inOtherProject: boolean }): string =>
    projects[inOtherProject ? 1 : 0];
  const drafts = projects.flatMap((project) =>
    draftCalls(
      seed,
      project,
      seed.calls.filter((call) => projectOf(call) === project),
    ),
  );
  const modelNames = nameModels(seed, models);
  const parts = placeParts(seed, drafts, modelNames);
  const idsOf = (project: string, picks: readonly number[]): string[] => {
    // The last two are unknown calls. Both projects use the same ids, so ids of the other project occur as well.
    const ids = drafts.filter((draft) => draft.project === project).map(({ id }) => id);
    const all = [...ids, `unknown-${unique}`, ''];
    return picks.map((pick) => all[pick % all.length]!);
  };
  const phases = seed.phases.map((phase, index): PlannedPhase => {
    return {
      prices: seed.prices
        .filter((price) => price.phase % seed.phases.length === index)
        .map((price) => toPrice(price, projects, modelNames)),
      requests: toRequests(phase, parts[index]!),
      parallel: phase.parallel,
      deletions: phase.deletions.map((deletion) => ({
        project: projectOf(deletion),
        callIds: idsOf(projectOf(deletion), deletion.picks),
      })),
      usageRequests: phase.usageRequests.map(
        ({ all, roots, picks, includeCosts, limit, ...usageRequest }) => {
          const project = projectOf(usageRequest);
          const everyPick = [...drafts.keys(), ...picks];
          const firsts = drafts.filter((draft) => draft.project === project && draft.isFirst);
          const callIds = roots
            ? firsts.map(({ id }) => id)
            : idsOf(project, all ? everyPick : picks);
          return { project, callIds, includeCosts, limit };
        },
      ),
    };
  });
  return { phases, callCount: drafts.length };
}

// Calls

function draftCalls(seed: ForestSeed, project: string, seeds: readonly CallSeed[]): Draft[] {
  const ids = seeds.map((_, index) => `${idPrefixes[index % idPrefixes.length]!}${index}`);
  const traceOf = (call: CallSeed): number => call.trace % seed.shapes.length;
  return seeds.map((call, index): Draft => {
    const trace = traceOf(call);
    const inTrace = ids.filter((_, other) => traceOf(seeds[other]!) === trace);
    const place = inTrace.indexOf(ids[index]!);
    const id = ids[index]!;
    const parent = seed.isOrderly
      ? parentInShape(
          seed.shapes[trace]!.replace('ring', 'bush') as Shape,
          call.pick,
          inTrace,
          place,
        )
      : parentOf(call, seed.shapes[trace]!, { ids, inTrace, place });
    const isSpan = seed.spans === 'always' || (seed.spans === 'mixed' && call.span.isSpan);
    const sender = isSpan ? call.span.rollUp : senderOf(seed, call);
    const rolledUp = !['none', 'own', 'otel', 'other source'].includes(sender);
    const startedAt = seed.isOrderly ? orderlyTime(place) : times[call.time % times.length]!;
    return {
      seed: call,
      project,
      id,
      trace: `trace ${trace}`,
      parent,
      sender,
      isRolledUp: rolledUp,
      isSpan,
      startedAt: isSpan && !seed.isOrderly ? spanTime(call.span.start) : startedAt,
      endedAt: isSpan && !seed.isOrderly ? spanTime(call.span.end) : endTime(call, place),
      isFirst: place === 0,
    };
  });
}

/** Ten days and 97 minutes after the previous call, except that one in ten starts when the previous call does. */
function orderlyTime(place: number): string {
  const minutes = Math.floor(place * 0.9) * (10 * 1_440 + 97);
  return new Date(Date.UTC(2024, 11, 25) + minutes * 60_000).toISOString();
}

function spanTime(microseconds: number): string {
  return `2025-07-01T00:00:00.00000${microseconds}Z`;
}

/** Children have later places than their parents, except in rings. */
function endTime({ ends, pick }: CallSeed, place: number): string {
  const last = Date.UTC(2100, 0, 1);
  const seconds = {
    'after its children': -place,
    'with the first call': 0,
    'before its children': place - 10_000,
    'any time': -(pick % 20),
  }[ends];
  return new Date(last + seconds * 1_000).toISOString();
}

function parentOf(
  { parent, pick }: CallSeed,
  shape: Shape,
  { ids, inTrace, place }: { ids: readonly string[]; inTrace: readonly string[]; place: number },
): string | undefined {
  switch (parent) {
    case 'as trace':
      return parentInShape(shape, pick, inTrace, place);
    case 'none':
      return undefined;
    case 'empty':
      return '';
    case 'any':
      return inTrace[pick % inTrace.length];
    case 'self':
      return inTrace[place];
    case 'missing':
      return `missing-${pick % 3}`;
    case 'elsewhere': {
      const elsewhere = ids.filter((id) => !inTrace.includes(id));
      return elsewhere[pick % elsewhere.length];
    }
  }
}

function parentInShape(
  shape: Shape,
  pick: number,
  inTrace: readonly string[],
  place: number,
): string | undefined {
  if (shape === 'ring') return inTrace[(place + 1) % inTrace.length];
  if (place === 0) return undefined;
  if (shape === 'chain') return inTrace[place - 1];
  return inTrace[shape === 'star' ? 0 : pick % place];
}

/** The sender of a call: never, sometimes or always one whose calls are rolled up. */
function senderOf({ rollUp }: ForestSeed, { sender }: CallSeed): CallSeed['sender'] {
  if (rollUp === 'mixed') return sender;
  if (rollUp === 'always') return 'js';
  return sender === 'none' ? 'none' : 'own';
}

function attributesOf({ sender, version }: CallSeed): object {
  const client_version = versions[version % versions.length];
  switch (sender) {
    case 'none':
      return {};
    case 'own':
      return { weave: { source: 'js-sdk', usage_rollup: 'own', client_version } };
    case 'other source':
      return { weave: { source: 'otel' }, source: 'js-sdk' };
    case 'js':
    case 'python':
      return { weave: { source: `${sender}-sdk`, client_version } };
    case 'rolled up':
      return { weave: { usage_rollup: 'rolled_up' } };
    case 'otel':
      return { weave: { usage_rollup: 'otel', source: 'js-sdk', client_version } };
    case 'no rollup':
      return { weave: { source: 'python-sdk', usage_rollup: null } };
    case 'odd rollup':
      return { weave: { source: 'js-sdk', usage_rollup: 'sometimes' } };
  }
}

// Parts

/** The parts of each phase, in the order in which they are sent. */
function placeParts(
  seed: ForestSeed,
  drafts: readonly Draft[],
  modelNames: readonly string[],
): Part[][] {
  const summaries = new Summaries(drafts, modelNames);
  const placed: { part: Part; phase: number; order: number }[] = [];
  const lastPhase = seed.phases.length - 1;
  for (const draft of drafts) {
    for (const { part, delivery } of toParts(draft, summaries.of(draft))) {
      const { phase, order, repeats } = delivery;
      placed.push({ part, phase: Math.min(phase, lastPhase), order });
      for (const repeat of repeats) {
        const later = Math.min(phase + repeat.later, lastPhase);
        placed.push({ part, phase: later, order: repeat.order });
      }
    }
  }
  placed.sort((a, b) => a.order - b.order);
  return seed.phases.map((_, index) =>
    placed.filter(({ phase }) => phase === index).map(({ part }) => part),
  );
}

function toParts(draft: Draft, summary: JsonObject): { part: Part; delivery: CallSeed['start'] }[] {
  const { project, id, trace, parent, seed: call } = draft;
  const startFields = {
    ...{ project_id: project, id, trace_id: trace, parent_id: parent, op_name: 'op' },
    started_at: draft.startedAt,
    ...{ attributes: attributesOf({ ...call, sender: draft.sender }), inputs: {} },
  };
  const responseId = call.response === 0 ? undefined : `response ${call.response}`;
  const output =
    call.outputTier === undefined && responseId === undefined
      ? null
      : { service_tier: call.outputTier, id: responseId };
  const endFields = { project_id: project, id, ended_at: draft.endedAt, output, summary };
  const endTrace = call.endHasTrace ? { trace_id: trace } : {};
  const start = {
    part: { kind: 'start', part: toObject(startFields) },
    delivery: call.start,
  } as const;
  const end = {
    part: { kind: 'end', part: toObject({ ...endFields, ...endTrace }) },
    delivery: call.end,
  } as const;
  const whole = {
    part: { kind: 'whole', part: toObject({ ...startFields, ...endFields }) },
  } as const;
  if (draft.isSpan) {
    const { kind, scope } = call.span;
    const part = toObject({ ...startFields, ...endFields, span: { kind, scope: scopes[scope] } });
    return [{ part: { kind: 'whole', part }, delivery: call.start }];
  }
  switch (call.form) {
    case 'start and end':
      return [start, end];
    case 'complete':
      return [{ ...whole, delivery: call.start }];
    case 'both':
      return [start, end, { ...whole, delivery: { ...call.end, repeats: [] } }];
    case 'unfinished':
      return [start];
    case 'end only':
      return [end];
  }
}

/** Names of instrumentation scopes; the first is none. */
const scopes = ['', 'scope one', 'scope two'];

/** The summary of each call. Those of rolled-up calls include their children's usage, as SDKs send it. */
class Summaries {
  readonly #drafts: readonly Draft[];
  readonly #modelNames: readonly string[];
  readonly #summaries = new Map<Draft, JsonObject>();
  /** Calls whose summary is being computed; they are skipped as children, because an SDK cannot sum a cycle. */
  readonly #inFlight = new Set<Draft>();

  constructor(drafts: readonly Draft[], modelNames: readonly string[]) {
    this.#drafts = drafts;
    this.#modelNames = modelNames;
  }

  of(draft: Draft): JsonObject {
    const known = this.#summaries.get(draft);
    if (known !== undefined) return known;
    this.#inFlight.add(draft);
    const summary = this.#compute(draft);
    this.#inFlight.delete(draft);
    this.#summaries.set(draft, summary);
    return summary;
  }

  #compute(draft: Draft): JsonObject {
    const { seed, isRolledUp: rolledUp } = draft;
    if (seed.summary !== undefined && !draft.isSpan) return toObject(seed.summary as object);
    const usage = draft.isSpan ? seed.span.usage : seed.usage;
    const entries = usage.map(({ model, entry }): [string, Json] => [
      this.#modelNames[model % this.#modelNames.length]!,
      toJson(entry),
    ]);
    const own = toObject({ usage: new Map(entries) });
    if (!rolledUp || seed.stored === 'own only') return own;
    const sum = this.#sumOfChildren(draft);
    if (sum.size === 0) return own;
    if (seed.stored !== 'children only') {
      for (const [model, { fields }] of storedUsage(toObject({ summary: own })))
        addTo(sum, model, fields);
    }
    if (seed.stored === 'one less') subtractOne(sum, seed.pick);
    const sums = [...sum].map(([model, fields]): [string, Json] => [
      model,
      seed.stored === 'nulls' ? toNulls(fields) : toEntry(fields),
    ]);
    return toObject({ usage: new Map(sums) });
  }

  /** Of those that have ended, or of all of them. */
  #sumOfChildren({ project, trace, id, endedAt, seed }: Draft): Map<string, Fields> {
    const sum = new Map<string, Fields>();
    for (const child of this.#drafts) {
      const isChild = child.project === project && child.trace === trace && child.parent === id;
      if (!isChild || !child.isRolledUp || this.#inFlight.has(child)) continue;
      if (seed.stored === 'added' && child.endedAt > endedAt) continue;
      for (const [model, { fields }] of storedUsage(toObject({ summary: this.of(child) })))
        addTo(sum, model, fields);
    }
    return sum;
  }
}

function addTo(sum: Map<string, Fields>, model: string, more: Fields): void {
  const before = sum.get(model);
  const names = Object.keys(more) as (keyof Fields)[];
  const added = names.map((name) => [name, (before?.[name] ?? 0n) + more[name]] as const);
  sum.set(model, Object.fromEntries(added) as Fields);
}

/** Subtracts one from one field, so that the sum is less than the usage of the children. */
function subtractOne(sum: Map<string, Fields>, pick: number): void {
  const places = [...sum].flatMap(([model, fields]) =>
    (Object.keys(fields) as (keyof Fields)[])
      .filter((name) => fields[name] > 0n)
      .map((name) => ({ model, fields, name })),
  );
  const place = places[pick % places.length];
  if (place === undefined) return;
  const { model, fields, name } = place;
  sum.set(model, { ...fields, [name]: fields[name] - 1n });
}

/** An entry with these numbers; those that are 0 are left out. */
function toEntry(fields: Fields): JsonObject {
  const entry: JsonObject = new Map();
  for (const [name, path] of Object.entries(fieldPaths)) {
    const value = fields[name as keyof typeof fieldPaths];
    if (value === 0n) continue;
    let object = entry;
    for (const key of path.slice(0, -1)) {
      const inner: JsonObject =
        (object.get(key) as JsonObject | undefined) ?? new Map<string, Json>();
      object.set(key, inner);
      object = inner;
    }
    object.set(path.at(-1)!, toJson(value));
  }
  return entry;
}

/** What is left of a sum when the last stream was aborted: its requests. */
function toNulls({ requests }: Fields): JsonObject {
  const nulls = { prompt_tokens: null, completion_tokens: null, total_tokens: null };
  return toObject({ requests, ...nulls });
}

// Requests

function toRequests(phase: PhaseSeed, parts: readonly Part[]): PlannedRequest[] {
  const requests: PlannedRequest[] = [];
  let sent = 0;
  for (let turn = 0; sent < parts.length; turn += 1) {
    const { channel, hasInvalidItem, parts: size } = phase.requests[turn % phase.requests.length]!;
    // Requests with a single part would take most of the test's time, so there are at most three in a row.
    const isSingle = channel === 'single' || channel === 'single, v2';
    const take = isSingle ? Math.min(size, 3) : Math.max(size, parts.length / 20);
    requests.push({ channel, hasInvalidItem, parts: parts.slice(sent, sent + Math.ceil(take)) });
    sent += Math.ceil(take);
  }
  return requests;
}

// Prices

function nameModels(seed: ForestSeed, models: string): string[] {
  return Array.from({ length: seed.models }, (_, index) =>
    index % 3 === 2
      ? sharedModels[Math.floor(index / 3) % sharedModels.length]!
      : uniqueModels[index % uniqueModels.length]!(`${models} ${index}`),
  );
}

function toPrice(
  seed: PriceSeed,
  projects: readonly [string, string],
  modelNames: readonly string[],
): PlannedPrice {
  // A model with an empty name cannot have a price.
  const named = modelNames.filter((name) => name !== '');
  const model = named[seed.model % named.length]!;
  // A default price applies to all forests, so only models that no other forest uses may have one.
  const level = seed.level === 'default' && sharedModels.includes(model) ? 'project' : seed.level;
  const project = level === 'project' ? projects[0] : projects[1];
  const price = {
    project: level === 'default' ? undefined : project,
    model,
    effectiveDate: times[seed.time % times.length]!,
    costs: seed.costs,
    promptTokensAbove: BigInt(seed.promptTokensAbove),
    serviceTier: seed.serviceTier,
    minutesOfWeek: seed.minutesOfWeek,
  };
  return { price, isDeleted: seed.isDeleted };
}
