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
import { storedUsage, type Counters, type Event, type Price } from '../oracle.ts';

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
  readonly startedAt: string;
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
    const sender = senderOf(seed, call);
    const rolledUp = !['none', 'own', 'other source', 'odd rollup'].includes(sender);
    return {
      seed: call,
      project,
      id,
      trace: `trace ${trace}`,
      parent,
      sender,
      isRolledUp: rolledUp,
      startedAt: seed.isOrderly ? orderlyTime(place) : times[call.time % times.length]!,
      isFirst: place === 0,
    };
  });
}

/** Ten days after the previous call, except that one in ten starts at the same time as the previous call. */
function orderlyTime(place: number): string {
  return new Date(Date.UTC(2024, 11, 25) + Math.floor(place * 0.9) * 10 * 86_400_000).toISOString();
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

function attributesOf(sender: CallSeed['sender']): object {
  switch (sender) {
    case 'none':
      return {};
    case 'own':
      return { weave: { source: 'js-sdk', usage_rollup: 'own' } };
    case 'other source':
      return { weave: { source: 'otel' }, source: 'js-sdk' };
    case 'js':
    case 'python':
      return { weave: { source: `${sender}-sdk`, sdk_version: '1' } };
    case 'rolled up':
      return { weave: { usage_rollup: 'rolled_up' } };
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
    ...{ attributes: attributesOf(draft.sender), inputs: {} },
  };
  const ended_at = '2262-04-11T23:47:16.9Z';
  const endFields = { project_id: project, id, ended_at, summary };
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
    if (seed.summary !== undefined) return toObject(seed.summary as object);
    const entries = seed.usage.map(({ model, entry }): [string, Json] => [
      this.#modelNames[model % this.#modelNames.length]!,
      toJson(entry),
    ]);
    const own = toObject({ usage: new Map(entries) });
    if (!rolledUp || seed.stored === 'own only') return own;
    const total = this.#sumOfChildren(draft);
    if (total.size === 0) return own;
    if (seed.stored === 'added') addTo(total, storedUsage(own));
    if (seed.stored === 'one less') subtractOne(total, seed.pick);
    const sums = [...total].map(([model, sum]): [string, Json] => [model, toEntry(sum)]);
    return toObject({ usage: new Map(sums) });
  }

  #sumOfChildren({ project, trace, id }: Draft): Map<string, Counters> {
    const sum = new Map<string, Counters>();
    for (const child of this.#drafts) {
      const isChild = child.project === project && child.trace === trace && child.parent === id;
      if (!isChild || !child.isRolledUp || this.#inFlight.has(child)) continue;
      addTo(sum, storedUsage(this.of(child)));
    }
    return sum;
  }
}

function addTo(sum: Map<string, Counters>, more: ReadonlyMap<string, Counters>): void {
  for (const [model, counters] of more) {
    const before = sum.get(model);
    sum.set(
      model,
      before === undefined
        ? counters
        : {
            requests: before.requests + counters.requests,
            prompt: before.prompt + counters.prompt,
            completion: before.completion + counters.completion,
            total: before.total + counters.total,
            cacheRead: before.cacheRead + counters.cacheRead,
            cacheCreation: before.cacheCreation + counters.cacheCreation,
          },
    );
  }
}

/** Subtracts one from one counter, so that the sum is less than the usage of the children. */
function subtractOne(sum: Map<string, Counters>, pick: number): void {
  const places = [...sum].flatMap(([model, counters]) =>
    (Object.keys(counters) as (keyof Counters)[])
      .filter((name) => counters[name] > 0n)
      .map((name) => ({ model, counters, name })),
  );
  const place = places[pick % places.length];
  if (place === undefined) return;
  const { model, counters, name } = place;
  sum.set(model, { ...counters, [name]: counters[name] - 1n });
}

function toEntry(counters: Counters): JsonObject {
  return toObject({
    requests: counters.requests,
    prompt_tokens: counters.prompt,
    completion_tokens: counters.completion,
    total_tokens: counters.total,
    cache_read_input_tokens: counters.cacheRead,
    cache_creation_input_tokens: counters.cacheCreation,
  });
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
      : `model-${models} ${index}`,
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
    promptCost: seed.promptCost,
    completionCost: seed.completionCost,
    cacheReadCost: seed.cacheReadCost,
    cacheCreationCost: seed.cacheCreationCost,
  };
  return { price, isDeleted: seed.isDeleted };
}
