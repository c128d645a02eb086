/**
 * Rows of random traces of every kind: calls of SDKs that roll up, agents of OpenTelemetry that repeat what is below them,
 * responses that several spans report, both kinds in one trace, deleted and unfinished calls, calls whose parent is
 * missing, aborted requests, and models with several prices, with one of the price book and without any.
 */
import fc from 'fast-check';

import { completeRow, deletionRow, type Row, startRow } from '../../support/rows/part-rows.ts';

interface CallSeed {
  readonly parent: number | 'missing' | null;
  readonly startMs: number;
  readonly lengthMs: number | null;
  readonly model: string | null;
  readonly tokens: Readonly<Record<'prompt' | 'completion' | 'cached', number>>;
  readonly isAborted: boolean;
  readonly tier: string;
  readonly kind: number;
  readonly scope: number;
  readonly response: string;
  readonly hasError: boolean;
  readonly isDeleted: boolean;
}

interface TraceSeed {
  readonly day: number;
  /** In a mixed one, spans of OpenTelemetry are below a call of an SDK. */
  readonly family: 'own' | 'rolled up' | 'otel' | 'mixed';
  readonly calls: readonly CallSeed[];
}

/** Aborted requests have no tokens. */
interface Entry {
  readonly requests: number;
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
  readonly service_tier?: string;
}
type Usage = Readonly<Record<string, Entry>>;

const firstDay = Date.parse('2026-03-01T00:00:00Z');
const dayMs = 86_400_000;
const modes = { own: 0, rolledUp: 1, otel: 2 } as const;

/** Prices by date, size and service tier, all of which are whole billionths of a dollar. */
export const prices: readonly (readonly [model: string, cost: object])[] = [
  ['house', { ...price(3, 15), effective_date: '2026-01-01' }],
  ['house', { ...price(6, 22), effective_date: '2026-01-01', prompt_tokens_above: 200_000 }],
  ['house', { ...price(2, 11), effective_date: '2026-03-03T00:30:00Z' }],
  ['house', { ...price(1, 5), effective_date: '2026-01-01', service_tier: 'batch' }],
];

function price(prompt: number, completion: number): object {
  return {
    ...{ prompt_token_cost: prompt / 1e6, completion_token_cost: completion / 1e6 },
    cache_read_input_token_cost: prompt / 1e7,
  };
}

const few = fc.constantFrom(10, 20);
const callSeed = fc.record<CallSeed>({
  parent: fc.oneof(
    { weight: 8, arbitrary: fc.nat(5) },
    fc.constantFrom<'missing' | null>('missing', null),
  ),
  startMs: fc.nat(60 * 60_000),
  lengthMs: fc.option(fc.integer({ min: -1_000, max: 90_000 }), { freq: 8 }),
  model: fc.option(fc.constantFrom('house', 'gpt-4o', 'unpriced')),
  tokens: fc.record({
    prompt: fc.oneof(few, fc.nat(300_000)),
    completion: few,
    cached: fc.nat(10),
  }),
  isAborted: fc.constantFrom(false, false, false, false, true),
  tier: fc.constantFrom('', '', 'batch'),
  kind: fc.constantFrom(0, 1, 1, 2, 3),
  scope: fc.nat(2),
  response: fc.constantFrom('', 'r1', 'r2'),
  hasError: fc.boolean(),
  isDeleted: fc.constantFrom(false, false, false, false, true),
});

const span: CallSeed = {
  ...{ parent: 0, startMs: 0, lengthMs: 9, model: 'house', isAborted: false, tier: '' },
  tokens: { prompt: 10, completion: 20, cached: 0 },
  ...{ kind: 1, scope: 0, response: 'r1', hasError: false, isDeleted: false },
};

/** Two spans report one response, and a third was aborted: no random run is without. */
const repeated: TraceSeed = {
  ...{ day: 0, family: 'otel' },
  calls: [
    { ...span, model: null, kind: 0, response: '' },
    { ...span, startMs: 1 },
    { ...span, startMs: 2 },
    { ...span, startMs: 3, response: 'r2', isAborted: true },
  ],
};

/** Two top calls, below each of which a span reports one response, and a top call that is a twin of another one. */
const shared: TraceSeed = {
  ...{ day: 1, family: 'otel' },
  calls: [
    { ...span, model: null, kind: 0, response: '' },
    { ...span, parent: null, model: null, kind: 0, response: '', startMs: 1 },
    { ...span, parent: 0, startMs: 2 },
    { ...span, parent: 1, startMs: 3 },
    { ...span, parent: 'missing', response: '', startMs: 4 },
    { ...span, parent: 'missing', response: '', startMs: 5, lengthMs: 2, scope: 1 },
  ],
};

/** A request that was aborted, of a model with prices. */
const aborted: TraceSeed = {
  ...{ day: 2, family: 'own' },
  calls: [
    { ...span, response: '' },
    { ...span, response: '', startMs: 1, isAborted: true },
  ],
};

const randomTraces: fc.Arbitrary<readonly TraceSeed[]> = fc.array(
  fc.record({
    day: fc.nat(4),
    family: fc.constantFrom('own', 'rolled up', 'otel', 'mixed'),
    calls: fc.array(callSeed, { minLength: 1, maxLength: 7 }),
  }),
  { minLength: 40, maxLength: 40 },
);

export const mixedTraces = randomTraces.map((traces) => [...traces, repeated, shared, aborted]);

export function toRows(projectId: string, traces: readonly TraceSeed[]): Row[] {
  return traces.flatMap((trace, number) => {
    const stored = toStored(trace);
    return trace.calls.flatMap((call, index) => {
      const shape = toShape(trace, number, index);
      const used = { ...shape, usage: stored[index]?.usage ?? {} };
      const more = toColumns(trace, number, index);
      const end = stored[index]?.endMs ?? null;
      const row =
        end === null
          ? startRow(projectId, shape, more)
          : completeRow(projectId, used, { ...more, ended_at: toTime(trace, end) });
      return call.isDeleted ? [row, deletionRow(projectId, shape)] : [row];
    });
  });
}

function toShape(trace: TraceSeed, number: number, index: number) {
  const parent = toParent(trace, index);
  const toId = (of: number): string => `${number}-${of}`;
  return {
    ...{ id: toId(index), trace: `trace ${number}` },
    ...(parent === null ? {} : { parent: parent === 'missing' ? 'missing' : toId(parent) }),
  };
}

/** The parent of a call is one before it. */
function toParent({ calls }: TraceSeed, index: number): CallSeed['parent'] {
  const parent = calls[index]?.parent ?? null;
  if (index === 0) return null;
  return typeof parent === 'number' ? parent % index : parent;
}

function toMode(family: TraceSeed['family'], index: number): number {
  if (family === 'own') return modes.own;
  return family === 'otel' || (family === 'mixed' && index > 0) ? modes.otel : modes.rolledUp;
}

interface Stored {
  readonly usage: Usage;
  readonly endMs: number | null;
}

/** Calls of SDKs end after their children and have what these used, too. */
function toStored(trace: TraceSeed): readonly (Stored | undefined)[] {
  const stored: (Stored | undefined)[] = [];
  for (const [index, call] of [...trace.calls.entries()].reverse()) {
    const isRolledUp = trace.family === 'rolled up';
    const children = stored.filter((_, other) => isRolledUp && toParent(trace, other) === index);
    const ends = children.map((child) => child?.endMs ?? 0);
    const endMs = call.lengthMs === null ? null : call.startMs + call.lengthMs;
    const usages = children.map((child) => (child?.endMs === null ? {} : (child?.usage ?? {})));
    stored[index] = {
      usage: [toOwn(call, isRolledUp), ...usages].reduce(add),
      endMs: endMs === null ? null : Math.max(endMs, ...ends),
    };
  }
  return stored;
}

function toOwn({ model, isAborted, tokens, tier }: CallSeed, isRolledUp: boolean): Usage {
  if (model === null) return {};
  if (isAborted) return { [model]: { requests: 1 } };
  const entry = {
    ...{ requests: 1, prompt_tokens: tokens.prompt, completion_tokens: tokens.completion },
    prompt_tokens_details: { cached_tokens: tokens.cached },
    ...(tier === '' || isRolledUp ? {} : { service_tier: tier }),
  };
  return { [model]: entry };
}

function add(left: Usage, right: Usage): Usage {
  const sums = { ...left };
  for (const [model, entry] of Object.entries(right)) {
    const sum = sums[model];
    sums[model] = sum === undefined ? entry : addEntries(sum, entry);
  }
  return sums;
}

function addEntries(left: Entry, right: Entry): Entry {
  const requests = left.requests + right.requests;
  if (left.prompt_tokens === undefined) return { ...right, requests };
  if (right.prompt_tokens === undefined) return { ...left, requests };
  const cachedOf = (entry: Entry): number => entry.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    requests,
    prompt_tokens: left.prompt_tokens + right.prompt_tokens,
    completion_tokens: (left.completion_tokens ?? 0) + (right.completion_tokens ?? 0),
    prompt_tokens_details: { cached_tokens: cachedOf(left) + cachedOf(right) },
  };
}

function toColumns(trace: TraceSeed, number: number, index: number): Row {
  const { startMs, hasError, kind, scope, response } = trace.calls[index] ?? {};
  const mode = toMode(trace.family, index);
  return {
    ...{ op_name: `op ${number % 3}`, exception: hasError === true ? 'broke' : '' },
    ...{ started_at: toTime(trace, startMs ?? 0), usage_mode: mode },
    ...(mode === modes.otel ? { span_kind: kind, scope, output_id: response } : {}),
  };
}

function toTime({ day }: TraceSeed, ms: number): string {
  return new Date(firstDay + day * dayMs + ms).toISOString().replace('Z', '').replace('T', ' ');
}
