/**
 * Random seeds of forests for fast-check. A seed is plain data that can be reduced: every number that selects something
 * is taken modulo the number of choices (see plan-forest.ts), so that any smaller seed is a valid forest too.
 */
import fc from 'fast-check';

import { JsonNumber } from '../json.ts';

export interface ForestSeed {
  readonly shapes: readonly Shape[];
  /** Whether each trace is one tree whose calls start after their parents, as in most real traces. */
  readonly isOrderly: boolean;
  readonly rollUp: 'never' | 'always' | 'mixed';
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
  readonly form: 'start and end' | 'complete' | 'both' | 'unfinished' | 'end only';
  readonly endHasTrace: boolean;
  readonly sender:
    'none' | 'js' | 'python' | 'rolled up' | 'own' | 'other source' | 'no rollup' | 'odd rollup';
  readonly stored: 'added' | 'children only' | 'own only' | 'one less';
  readonly usage: readonly { readonly model: number; readonly entry: unknown }[];
  /** Replaces the summary by an invalid one. */
  readonly summary: unknown;
  readonly start: DeliverySeed;
  readonly end: DeliverySeed;
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
  readonly promptCost: string;
  readonly completionCost: string;
  readonly cacheReadCost: string | undefined;
  readonly cacheCreationCost: string | undefined;
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
  fc.constantFrom<unknown>(null, true, false, '5', '', ' 6 ', '1e3', [], [7], {}, { value: 8 }),
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

const details: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ cached_tokens: count }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(null, {}, [], 5, 'none', [{ cached_tokens: 1 }]),
  },
);

/** Usage of one model: as several SDKs send it, with arbitrary fields, and invalid values. */
const entry: fc.Arbitrary<unknown> = fc.oneof(
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
  form: fc.oneof(
    { weight: 6, arbitrary: fc.constant('start and end' as const) },
    { weight: 6, arbitrary: fc.constant('complete' as const) },
    { weight: 1, arbitrary: fc.constantFrom('both' as const, 'unfinished', 'end only') },
  ),
  endHasTrace: fc.boolean(),
  sender: fc.oneof(
    fc.constantFrom('none' as const, 'js', 'python', 'rolled up', 'own', 'js', 'js'),
    fc.constantFrom('none' as const, 'other source', 'no rollup', 'odd rollup'),
  ),
  stored: mostly<CallSeed['stored']>(6, 'added', 'children only', 'own only', 'one less'),
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

const price: fc.Arbitrary<PriceSeed> = fc.record({
  model: fc.nat(50),
  level: fc.constantFrom('default', 'project', 'other project'),
  time: fc.nat(20),
  phase: mostly(3, 0, 1, 2),
  isDeleted: mostly(8, false, true),
  promptCost: cost,
  completionCost: cost,
  cacheReadCost: fc.option(cost, { nil: undefined }),
  cacheCreationCost: fc.option(cost, { nil: undefined }),
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
  models: mostly(4, 3, 1, 8, 40),
  calls: fc.oneof(
    { weight: 10, arbitrary: callsOfSize(0, 12) },
    { weight: 5, arbitrary: callsOfSize(8, 40) },
    { weight: 1, arbitrary: callsOfSize(100, 300) },
  ),
  prices: fc.array(price, { maxLength: 8 }),
  phases: fc.array(phase, { minLength: 1, maxLength: 3 }),
});
