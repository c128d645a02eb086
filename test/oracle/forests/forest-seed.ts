/**
 * Random seeds of forests for fast-check. A seed is plain data that can be reduced: every number that selects something
 * is taken modulo the number of choices (see plan-forest.ts), so that any smaller seed is a valid forest too.
 */
import fc from 'fast-check';

import { JsonNumber } from '../json.ts';
import type { Costs, Price, SpanKind } from '../oracle.ts';

export interface ForestSeed {
  readonly shapes: readonly Shape[];
  /** Whether each trace is one tree whose calls start after their parents, as in most real traces. */
  readonly isOrderly: boolean;
  readonly rollUp: 'never' | 'always' | 'mixed';
  /** Which calls are spans of OpenTelemetry. */
  readonly spans: 'never' | 'always' | 'mixed';
  readonly models: number;
  readonly calls: readonly CallSeed[];
  readonly prices: readonly PriceSeed[];
  readonly phases: readonly PhaseSeed[];
}

/** The shape of a trace. Single calls may deviate from it. */
export type Shape = 'chain' | 'star' | 'bush' | 'ring';

export interface CallSeed {
  readonly inOtherProject: boolean;
  readonly trace: number;
  readonly parent: 'as trace' | 'none' | 'empty' | 'any' | 'self' | 'missing' | 'elsewhere';
  readonly pick: number;
  readonly time: number;
  readonly ends: 'after its children' | 'with the first call' | 'before its children' | 'any time';
  readonly form: 'start and end' | 'complete' | 'both' | 'unfinished' | 'end only';
  readonly endHasTrace: boolean;
  readonly sender:
    | 'none'
    | 'js'
    | 'python'
    | 'rolled up'
    | 'own'
    | 'otel'
    | 'other source'
    | 'no rollup'
    | 'odd rollup';
  /** Of the SDK that sends the call; several versions count differently. */
  readonly version: number;
  readonly stored: 'added' | 'all added' | 'children only' | 'own only' | 'one less' | 'nulls';
  readonly span: SpanSeed;
  /** The service tier in the output. */
  readonly outputTier: string | undefined;
  /** The id in the output: 0 for none. */
  readonly response: number;
  readonly usage: readonly { readonly model: number; readonly entry: unknown }[];
  /** Replaces the summary by an invalid one. */
  readonly summary: unknown;
  readonly start: DeliverySeed;
  readonly end: DeliverySeed;
}

/** A call as a span: frameworks repeat usage on several spans, with few different times, counts and scopes. */
interface SpanSeed {
  /** Whether it is one in a forest that has both. */
  readonly isSpan: boolean;
  readonly kind: SpanKind;
  readonly scope: number;
  /** Microseconds after the first call, or after the start that the shape of the forest requires. */
  readonly start: number;
  readonly end: number;
  readonly usage: readonly { readonly model: number; readonly entry: unknown }[];
  /** What a client has set for itself. */
  readonly rollUp: 'none' | 'own' | 'rolled up' | 'otel';
}

/** When a part is sent and repeated. */
interface DeliverySeed {
  readonly phase: number;
  readonly order: number;
  readonly repeats: readonly { readonly later: number; readonly order: number }[];
}

export interface PriceSeed {
  readonly model: number;
  readonly level: 'default' | 'project' | 'other project';
  readonly time: number;
  readonly phase: number;
  readonly isDeleted: boolean;
  readonly costs: Costs;
  readonly promptTokensAbove: number;
  readonly serviceTier: string;
  readonly minutesOfWeek: Price['minutesOfWeek'];
}

/** Sends prices, then parts, then deletions, then usage requests. */
export interface PhaseSeed {
  /** How the parts are divided into requests, cyclically. */
  readonly requests: readonly RequestSeed[];
  /** Requests in flight. */
  readonly parallel: number;
  readonly deletions: readonly IdsSeed[];
  readonly usageRequests: readonly UsageRequestSeed[];
}

export interface RequestSeed {
  readonly parts: number;
  readonly channel: 'batch' | 'single' | 'single, v2' | 'table';
  readonly hasInvalidItem: boolean;
}

interface IdsSeed {
  readonly inOtherProject: boolean;
  readonly picks: readonly number[];
}

export interface UsageRequestSeed extends IdsSeed {
  readonly all: boolean;
  /** Requests the first call of each trace, which is its root in orderly forests, instead of `picks`. */
  readonly roots: boolean;
  readonly includeCosts: boolean;
  readonly limit: 'default' | 'exact' | 'one less' | 'plenty';
}

/** Chooses the first value most often, and shrinks to it. */
function mostly<T>(weight: number, usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight, arbitrary: fc.constant(usual) },
    ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
  );
}

const pick = fc.nat(1_000_000);
const largest = 2 ** 53 - 1;

/** Unusual and invalid values of a count. The texts are JSON numbers in notations that JSON.stringify does not use. */
const oddCount: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...['7.0', '1e3', '12E+2', '1500e-2', '0.0', '-0', '-0.0', '1e0'].map(number)),
  fc.constantFrom(...['9007199254740991', '9007199254740992', '1e16', '1e300'].map(number)),
  fc.constantFrom(...['18446744073709551617', '-9007199254740993', '1e20', '-1'].map(number)),
  fc.constantFrom(...['0.5', '-2.5', '3e-1', '1.000001'].map(number)),
  fc.constantFrom<unknown>(null, true, false, '', ' 6 ', '1e3', '-1', '1.0', [], [7], {}),
  fc.constantFrom('5', '0', '007', '9007199254740991', '9007199254740992'),
);

function number(text: string): JsonNumber {
  return new JsonNumber(text);
}

const count: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 30, arbitrary: fc.nat(20_000) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: largest - 10, max: largest }) },
  { weight: 2, arbitrary: oddCount },
);

/** Few tokens, so that one counter is often within another, and equal ones occur. */
const few = fc.nat(40);
const tier = fc.constantFrom('batch', 'flex', 'priority', 'Flex', 'standard', 'default', 'auto');

/** What an API says beside prompt and completion; most is left out most of the time. */
const promptDetails = fc.record(
  {
    cached_tokens: few,
    cache_write_tokens: few,
    audio_tokens: few,
    cached_tokens_details: fc.record({ audio_tokens: few }),
  },
  { requiredKeys: [] },
);
const completionDetails = fc.record(
  { reasoning_tokens: few, audio_tokens: few },
  { requiredKeys: [] },
);

/** What a total has beyond prompt and completion, before anything is added. */
const beyond = fc.oneof(
  { weight: 3, arbitrary: fc.constant('nothing' as const) },
  { weight: 2, arbitrary: fc.constant('reasoning' as const) },
  { weight: 1, arbitrary: fc.constant('more' as const) },
  { weight: 1, arbitrary: fc.constant('no total' as const) },
);

interface Counts {
  readonly prompt: number;
  readonly completion: number;
  readonly reasoning: number;
  readonly beyond: 'nothing' | 'reasoning' | 'more' | 'no total';
}

const counts: fc.Arbitrary<Counts> = fc.record({
  prompt: few,
  completion: few,
  reasoning: few,
  beyond,
});

function totalOf({ prompt, completion, reasoning, beyond }: Counts): number | undefined {
  const more = { nothing: 0, reasoning, more: reasoning + 9, 'no total': undefined }[beyond];
  return more === undefined ? undefined : prompt + completion + more;
}

/** Usage as APIs report it: what one counter says depends on others. */
const providerEntry: fc.Arbitrary<unknown> = fc.oneof(
  fc
    .record({ counts, prompt: promptDetails, completion: completionDetails, requests: fc.nat(3) })
    .map(({ counts, prompt, completion, requests }) => ({
      requests,
      prompt_tokens: counts.prompt,
      completion_tokens: counts.completion,
      total_tokens: totalOf(counts),
      prompt_tokens_details: prompt,
      completion_tokens_details: { ...completion, reasoning_tokens: counts.reasoning },
    })),
  fc
    .record({ counts, input: promptDetails, isTwice: fc.boolean(), tier })
    .map(({ counts, input, isTwice, tier }) => ({
      ...(isTwice ? { prompt_tokens: counts.prompt, completion_tokens: counts.completion } : {}),
      ...(isTwice ? { prompt_tokens_details: input } : {}),
      requests: 1,
      input_tokens: counts.prompt,
      output_tokens: counts.completion,
      total_tokens: totalOf(counts),
      input_tokens_details: input,
      output_tokens_details: { reasoning_tokens: counts.reasoning },
      service_tier: tier,
    })),
  fc.record(
    {
      requests: fc.constant(1),
      input_tokens: few,
      output_tokens: few,
      cache_read_input_tokens: few,
      cache_creation_input_tokens: few,
      cache_creation: fc.record({ ephemeral_5m_input_tokens: few, ephemeral_1h_input_tokens: few }),
      service_tier: tier,
    },
    { requiredKeys: ['requests', 'input_tokens', 'output_tokens'] },
  ),
  counts.map((counts) => ({
    requests: 1,
    prompt_tokens: counts.prompt,
    completion_tokens: counts.completion,
    thoughts_tokens: counts.reasoning,
    total_tokens: totalOf(counts),
  })),
  fc.record(
    {
      requests: fc.nat(2),
      prompt_tokens: few,
      gross_input_tokens: few,
      cached_tokens: few,
      prompt_cache_hit_tokens: few,
      completion_tokens: few,
    },
    { requiredKeys: [] },
  ),
  // Streams that were aborted, and requests without tokens.
  fc.nat(3).map((requests) => ({
    ...{ requests, prompt_tokens: null, completion_tokens: null, total_tokens: null },
  })),
  fc.nat(3).map((requests) => ({ requests })),
);

const details: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ cached_tokens: count }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(null, {}, [], 5, 'none', [{ cached_tokens: 1 }]),
  },
);

/** Usage of one model: as several SDKs send it, with arbitrary fields, and invalid values. */
const entry: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 12, arbitrary: providerEntry },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        requests: fc.constant(1),
        prompt_tokens: count,
        completion_tokens: count,
        total_tokens: count,
        prompt_tokens_details: details,
      },
      { requiredKeys: ['requests', 'prompt_tokens', 'completion_tokens'] },
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      requests: fc.nat(3),
      input_tokens: count,
      output_tokens: count,
      cache_read_input_tokens: count,
      cache_creation_input_tokens: count,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        requests: count,
        prompt_tokens: count,
        input_tokens: count,
        completion_tokens: count,
        output_tokens: count,
        total_tokens: count,
        cache_read_input_tokens: fc.oneof(count, fc.constant(null)),
        cache_creation_input_tokens: count,
        prompt_tokens_details: details,
        completion_tokens_details: fc.constant({ reasoning_tokens: 3 }),
        'prompt_tokens ': fc.constant(4),
      },
      { requiredKeys: [] },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(null, 5, 'tokens', true, [], [{ prompt_tokens: 5 }], {}),
  },
);

const summary: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 30, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      {},
      { usage: null },
      { usage: [] },
      { usage: 'much' },
      { usage: 12 },
      { usage: [{ prompt_tokens: 5 }] },
      { Usage: { m: { prompt_tokens: 5 } } },
      { weave: { usage: { m: { prompt_tokens: 5 } } } },
    ),
  },
);

/** Counts of spans, few of them different, and some that are no usage. */
const spanEntry: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        requests: fc.constant(1),
        input_tokens: fc.constantFrom(0, 10, 20),
        output_tokens: fc.constantFrom(0, 1, 2),
        cache_read_input_tokens: fc.constantFrom(0, 5),
      },
      { requiredKeys: ['requests', 'input_tokens', 'output_tokens'] },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom({ requests: 1 }, { total_tokens: 4 }) },
  { weight: 1, arbitrary: fc.constant({ requests: 1, prompt_tokens: 10, completion_tokens: 1 }) },
  { weight: 1, arbitrary: providerEntry },
);

const span: fc.Arbitrary<SpanSeed> = fc.record({
  isSpan: mostly(3, true, false),
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant<SpanKind>('inference') },
    { weight: 4, arbitrary: fc.constantFrom<SpanKind>('other', 'agent', 'tool', 'agent') },
  ),
  scope: fc.nat(2),
  start: fc.nat(3),
  end: fc.nat(6),
  usage: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 5,
      arbitrary: fc.array(fc.record({ model: fc.nat(1), entry: spanEntry }), {
        minLength: 1,
        maxLength: 1,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ model: fc.nat(5), entry: spanEntry }), { maxLength: 3 }),
    },
  ),
  rollUp: mostly<SpanSeed['rollUp']>(15, ...(['none', 'own', 'rolled up', 'otel'] as const)),
});

const delivery: fc.Arbitrary<DeliverySeed> = fc.record({
  phase: mostly(3, 0, 1, 2),
  order: pick,
  repeats: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ later: fc.nat(2), order: pick }), {
        minLength: 1,
        maxLength: 2,
      }),
    },
  ),
});

const call: fc.Arbitrary<CallSeed> = fc.record({
  inOtherProject: mostly(3, false, true),
  trace: fc.nat(3),
  parent: mostly<CallSeed['parent']>(
    24,
    ...(['as trace', 'none', 'empty', 'any', 'self', 'missing', 'elsewhere'] as const),
  ),
  pick,
  time: fc.nat(20),
  ends: mostly<CallSeed['ends']>(
    4,
    ...(['after its children', 'with the first call', 'before its children', 'any time'] as const),
  ),
  form: fc.oneof(
    { weight: 6, arbitrary: fc.constant('start and end' as const) },
    { weight: 6, arbitrary: fc.constant('complete' as const) },
    { weight: 1, arbitrary: fc.constantFrom('both' as const, 'unfinished', 'end only') },
  ),
  endHasTrace: fc.boolean(),
  sender: fc.oneof(
    fc.constantFrom('none' as const, 'js', 'python', 'rolled up', 'own', 'js', 'js'),
    fc.constantFrom('none' as const, 'other source', 'no rollup', 'odd rollup', 'otel'),
  ),
  version: fc.nat(9),
  stored: mostly<CallSeed['stored']>(
    6,
    ...(['added', 'all added', 'children only', 'own only', 'one less', 'nulls'] as const),
  ),
  span,
  response: mostly(3, 0, 1, 2, 3),
  outputTier: fc.option(tier, { freq: 1, nil: undefined }),
  usage: fc.array(fc.record({ model: fc.nat(50), entry }), { maxLength: 3 }),
  summary,
  start: delivery,
  end: delivery,
});

/** Valid prices: at most 0.01 and 30 decimals, and no more digits than a double has. */
const cost = fc.oneof(
  fc.constantFrom('0', '0.000003', '1.5e-7', '3E-06', '0.001', '0.01', '0.0030', '7e-3', '1e-9'),
  fc.double({ min: 1e-9, max: 0.01, noNaN: true }).map(String),
  fc.double({ min: 1e-9, max: 1e-4, noNaN: true }).map(String),
);

const someCost = fc.option(cost, { nil: undefined });

const price: fc.Arbitrary<PriceSeed> = fc.record({
  model: fc.nat(50),
  level: fc.constantFrom('default', 'project', 'other project'),
  time: fc.nat(20),
  phase: mostly(3, 0, 1, 2),
  isDeleted: mostly(8, false, true),
  costs: fc.record({
    ...{ prompt: cost, completion: cost, cacheRead: someCost, cacheWrite: someCost },
    ...{ cacheWrite1h: someCost, audioInput: someCost, audioOutput: someCost },
  }),
  promptTokensAbove: mostly(3, 0, 1, 10, 20, 5_000),
  serviceTier: mostly(3, '', 'batch', 'flex', 'priority'),
  minutesOfWeek: mostly<PriceSeed['minutesOfWeek']>(
    3,
    [],
    [{ start: 1_440, end: 1_680 }],
    [{ start: 1_680, end: 10_080 }],
    [
      { start: 0, end: 1_441 },
      { start: 5_000, end: 8_000 },
    ],
  ),
});

const ids = {
  inOtherProject: mostly(2, false, true),
  picks: fc.array(pick, { minLength: 1, maxLength: 6 }),
};

const usageRequest: fc.Arbitrary<UsageRequestSeed> = fc.record({
  ...ids,
  all: mostly(3, false, true),
  roots: mostly(2, false, true),
  includeCosts: mostly(2, true, false),
  limit: mostly<UsageRequestSeed['limit']>(3, 'default', 'exact', 'one less', 'plenty'),
});

const request: fc.Arbitrary<RequestSeed> = fc.record({
  parts: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 80 })),
  channel: mostly<RequestSeed['channel']>(5, 'batch', 'single', 'single, v2', 'table'),
  hasInvalidItem: mostly(6, false, true),
});

const phase: fc.Arbitrary<PhaseSeed> = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 4 }),
  parallel: fc.integer({ min: 1, max: 6 }),
  deletions: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ ...ids, picks: fc.array(pick, { maxLength: 3 }) }), {
        minLength: 1,
        maxLength: 2,
      }),
    },
  ),
  usageRequests: fc.array(usageRequest, { minLength: 1, maxLength: 3 }),
});

function callsOfSize(minLength: number, maxLength: number): fc.Arbitrary<CallSeed[]> {
  return fc.array(call, { minLength, maxLength, size: 'max' });
}

/** Mostly small forests, some with up to 300 calls. */
export const forestSeeds: fc.Arbitrary<ForestSeed> = fc.record({
  shapes: fc.array(fc.constantFrom<Shape>('bush', 'chain', 'star', 'ring'), {
    minLength: 1,
    maxLength: 3,
  }),
  isOrderly: fc.boolean(),
  rollUp: fc.constantFrom('never', 'always', 'mixed'),
  spans: fc.constantFrom('never', 'always', 'mixed'),
  models: mostly(4, 3, 1, 8, 40),
  calls: fc.oneof(
    { weight: 10, arbitrary: callsOfSize(0, 12) },
    { weight: 5, arbitrary: callsOfSize(8, 40) },
    { weight: 1, arbitrary: callsOfSize(100, 300) },
  ),
  prices: fc.array(price, { maxLength: 8 }),
  phases: fc.array(phase, { minLength: 1, maxLength: 3 }),
});
