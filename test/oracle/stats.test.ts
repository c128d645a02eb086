/**
 * Sends the calls of random forests, with random names, users, threads and errors, and compares every number of answers of
 * POST /calls/stats about random windows, zones, groups and filters with those of stats-oracle.ts: after each phase of a
 * forest, while its traces are rolled up, and once they are.
 *
 * FOREST_SEED repeats a run, STATS_FORESTS sets the number of forests.
 */
import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomSeed as seed } from '../support/random-seed.ts';
import { forestSeeds, type ForestSeed } from './forests/forest-seed.ts';
import { toBatches } from './forests/part-requests.ts';
import { openCluster, openServer, type TestStack } from './forests/open-stack.ts';
import { canBeInserted, toPartRow } from './forests/part-row.ts';
import { type Part, type Plan, planForest, type PlannedPhase } from './forests/plan-forest.ts';
import { toCost } from './forests/run-forest.ts';
import {
  isObject,
  type Json,
  JsonNumber,
  type JsonObject,
  parseJson,
  toObject,
  writeJson,
} from './json.ts';
import { compareByCodePoint, type Event, microseconds } from './oracle.ts';
import {
  type ExpectedBucket,
  type ExpectedMetric,
  expectCallBuckets,
  expectUnpriced,
  expectUsageBuckets,
  type GroupName,
  type StatsFilter,
  type StatsRequest,
} from './stats-oracle.ts';

const forests = Number(process.env['STATS_FORESTS'] ?? 6);
const clusterForests = Math.ceil(forests / 4);
/** Lower bounds, so that the test does not pass because there was nothing to compare. */
const minNumbersPerForest = 200;

/** Of a request that names their length, unless a year is too short. */
const maxBuckets = 40;

const tokenMetrics = [
  ...['requests', 'input_tokens', 'output_tokens', 'total_tokens'],
  ...['cache_read_input_tokens', 'cache_creation_input_tokens'],
];
const costMetrics = ['input_cost', 'output_cost', 'total_cost'];
const callMetrics = ['latency_ms', 'call_count', 'error_count'];
const sums = ['sum', 'avg', 'count'];
const all = [...sums, 'min', 'max', 'count_true', 'count_false'];
const percentiles = [0, 12.5, 50, 99, 100];

/** A request as numbers that select something of the forest. */
interface RequestSeed {
  readonly window: readonly [number, number];
  readonly granularity: number | undefined;
  readonly timeZone: string;
  readonly groupBy: readonly GroupName[] | undefined;
  readonly filter: readonly (keyof StatsFilter)[];
  readonly picks: readonly number[];
  /** Whether more than sums is requested. */
  readonly hasValues: boolean;
}

const times = [
  ...['1969-01-01T00:00:00Z', '2024-02-29T12:00:00Z', '2025-01-01T00:00:00Z'],
  ...['2025-06-30T23:00:00Z', '2025-07-01T00:00:00Z', '2025-07-01T02:00:00.000001+02:00'],
  ...['2025-07-01T02:00:00Z', '2025-07-01T06:00:00Z', '2025-07-02T00:00:00+14:00'],
  ...['2027-01-01T00:00:00Z', '2262-04-12T00:00:00Z'],
];

const groupings: readonly (readonly GroupName[] | undefined)[] = [
  ...[undefined, []],
  ...[['model'], ['op_name'], ['wb_user_id', 'model'], ['model', 'thread_id']],
  ['thread_id', 'op_name'],
] as const;

const requestSeed: fc.Arbitrary<RequestSeed> = fc.record({
  window: fc.oneof(
    fc.constant([0, times.length - 1] as const),
    fc.constant([3, 7] as const),
    fc.tuple(fc.nat(times.length - 1), fc.nat(times.length - 1)),
  ),
  granularity: fc.option(fc.constantFrom(60, 900, 3_600, 21_600, 86_400, 604_800), {
    freq: 20,
    nil: undefined,
  }),
  timeZone: fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'Asia/Kolkata',
    'America/New_York',
    'Pacific/Apia',
  ),
  groupBy: fc.constantFrom(...groupings),
  filter: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 3,
      arbitrary: fc.subarray<keyof StatsFilter>(
        [
          'op_names',
          'thread_ids',
          'wb_user_ids',
          'trace_ids',
          'call_ids',
          'parent_ids',
          'trace_roots_only',
        ],
        { minLength: 1, maxLength: 2 },
      ),
    },
  ),
  picks: fc.array(fc.nat(1_000), { minLength: 4, maxLength: 12 }),
  hasValues: fc.constantFrom(true, false, false),
});

// So that the traces of a request are read by several statements.
const settings = { STATS_BATCH_CALLS: '50' };

/** `fromRollups`: traces that were read live, and then not, of all requests together. */
const tally = { requests: 0, numbers: 0, unpriced: 0, live: 0, fromRollups: 0 };

test.each([
  ['one server', openServer, forests],
  ['a cluster of two shards', openCluster, clusterForests],
])(
  'every number of /calls/stats about random forests, windows and zones equals the oracle’s, on %s',
  async (_, open, numRuns) => {
    const stack = await open(settings);
    const before = { ...tally };
    const property = fc.asyncProperty(
      forestSeeds,
      fc.array(requestSeed, { minLength: 3, maxLength: 6 }),
      (forestSeed, requests) => checkForest(stack, forestSeed, requests),
    );
    try {
      await fc.assert(property, { seed, numRuns, endOnFailure: true });
    } finally {
      await stack.close();
    }
    console.log(`Seed ${seed}: ${numRuns} forests, ${JSON.stringify(tally)}`);
    expect(tally.numbers - before.numbers).toBeGreaterThan(minNumbersPerForest * numRuns);
    // Of so few forests as on the cluster, all traces may be live: those that a filter or an edge cuts.
    if (numRuns >= 6) expect(tally.fromRollups - before.fromRollups).toBeGreaterThan(0);
  },
  600_000,
);

async function checkForest(
  stack: TestStack,
  forestSeed: ForestSeed,
  requests: readonly RequestSeed[],
): Promise<void> {
  const plan = planForest(inOneProject(forestSeed), randomBytes(6).toString('hex'));
  const events: Event[] = [];
  for (const phase of plan.phases) {
    events.push(...(await sendPhase(stack, phase)));
    // Traces that an earlier phase did not change have rollups already.
    const live: number[] = [];
    for (const request of requests) live.push(await checkRequest(stack, plan, events, request));
    await stack.settle([toProject(plan)]);
    for (const [index, request] of requests.entries()) {
      // Rollups have sums only.
      if (request.hasValues) continue;
      const stillLive = await checkRequest(stack, plan, events, request);
      tally.live += stillLive;
      tally.fromRollups += live[index]! - stillLive;
    }
  }
}

function inOneProject({ calls, prices, ...rest }: ForestSeed): ForestSeed {
  return {
    ...rest,
    calls: calls.map((call) => ({ ...call, inOtherProject: false })),
    prices: prices.map((price) => ({ ...price, level: 'project', isDeleted: false })),
  };
}

// What is sent

async function sendPhase(stack: TestStack, phase: PlannedPhase): Promise<Event[]> {
  const events: Event[] = [];
  for (const { price } of phase.prices) {
    const costs = new Map([[price.model, toCost(price)]]);
    await ask(stack, '/cost/create', { project_id: price.project, costs });
    events.push({ kind: 'price', price });
  }
  const parts = phase.requests.flatMap((request) => request.parts).map(withNames);
  const isRow = (part: Part): boolean => part.part.has('span') && canBeInserted(part);
  const rows = parts.filter(isRow).map(toNamedRow);
  if (rows.length > 0) await stack.clickhouse.insert('call_parts', rows);
  for (const { path, body } of toBatches(parts.filter((part) => !isRow(part)))) {
    await ask(stack, path, body);
  }
  events.push(...parts);
  for (const { project, callIds } of phase.deletions) {
    await ask(stack, '/calls/delete', { project_id: project, call_ids: callIds });
    events.push({ kind: 'deletion', project, callIds });
  }
  return events;
}

const opNames = ['op', 'op 😀', 'weave:///e/p/op/step:v1', 'weave:///e/p/op/step:v2', ''];
const userIds = ['', 'user "1"', 'user 2'];
const threadIds = ['', 'thread 1', '\uffff'];

/** Names that depend on the id of the call only, so that repeated parts are equal. */
function withNames({ kind, part }: Part): Part {
  const [a = 0, b = 0, c = 0, d = 0] = createHash('sha256')
    .update(part.get('id') as string)
    .digest();
  const named = new Map(part);
  if (kind !== 'end') {
    named.set('op_name', opNames[a % opNames.length]!);
    named.set('wb_user_id', userIds[b % userIds.length]!);
    named.set('thread_id', threadIds[c % threadIds.length]!);
  }
  if (kind !== 'start' && d % 3 === 0) named.set('exception', 'failed');
  return { kind, part: named };
}

function toNamedRow(part: Part): object {
  const { wb_user_id, thread_id, exception } = Object.fromEntries(part.part);
  return {
    ...toPartRow(part),
    wb_user_id,
    thread_id,
    has_exception: Number(exception !== undefined),
  };
}

async function ask(stack: TestStack, path: string, body: JsonObject | object): Promise<JsonObject> {
  const json = body instanceof Map ? body : toObject(body);
  const { status, text } = await stack.service.send(path, { body: writeJson(json) });
  expect(status, `${path} ${text}`).toBe(200);
  return parseJson(text) as JsonObject;
}

// What is requested and compared

/** @returns how many traces were read live */
async function checkRequest(
  stack: TestStack,
  plan: Plan,
  events: readonly Event[],
  requestSeed: RequestSeed,
): Promise<number> {
  const request = toRequest(plan, requestSeed);
  const { hasValues, granularity, timeZone: timezone } = requestSeed;
  const spec = (metric: string, more: readonly string[]): object => ({
    metric,
    aggregations: hasValues ? more : sums,
    percentiles: hasValues && more === all ? percentiles : [],
  });
  const body = {
    ...{ project_id: request.project, start: request.start, end: request.end, timezone },
    granularity: granularity && chooseGranularity(request, granularity),
    group_by: request.groupBy,
    filter: request.filter,
    usage_metrics: [
      ...tokenMetrics.map((metric) => spec(metric, all)),
      ...costMetrics.map((metric) => spec(metric, sums)),
    ],
    call_metrics: callMetrics.map((metric) => spec(metric, all)),
  };
  const { status, text } = await stack.service.send('/calls/stats', { body });
  const context = `${JSON.stringify(body)}\n${text.slice(0, 4_000)}`;
  tally.requests += 1;
  if (status === 422 && text.includes('too_many_buckets')) return 0;
  expect(status, context).toBe(200);
  const answer = parseJson(text) as JsonObject;
  // There may be usage without calls: that of traces whose roots started before the window.
  const starts = readStarts(
    ['call_buckets', 'usage_buckets'].flatMap((name) => answer.get(name) as JsonObject[]),
    timezone,
  );
  compareBuckets(
    answer.get('usage_buckets') as JsonObject[],
    expectUsageBuckets(events, request, starts),
    context,
  );
  // Without calls there are no starts to take from their buckets.
  if (starts.length > 0) {
    const expected = expectCallBuckets(events, request, starts);
    compareBuckets(answer.get('call_buckets') as JsonObject[], expected, context);
  } else
    expect(expectCallBuckets(events, request, [microseconds(request.start)]), context).toEqual([]);
  compareUnpriced(answer.get('unpriced') as JsonObject[], expectUnpriced(events, request), context);
  return Number(writeJson(answer.get('live_traces')!));
}

/** So few buckets that most have calls; the longest ones are those of the API. */
function chooseGranularity({ start, end }: StatsRequest, granularity: number): number {
  const spanS = Number(microseconds(end) - microseconds(start)) / 1e6;
  return Math.min(Math.max(granularity, Math.ceil(spanS / maxBuckets)), 31_622_400);
}

/** All calls of a plan are in one project. */
function toProject({ phases }: Plan): string {
  const parts = phases.flatMap(({ requests }) => requests.flatMap(({ parts }) => parts));
  return (parts[0]?.part.get('project_id') ?? 'forest/empty') as string;
}

function toRequest(plan: Plan, { window, groupBy, filter, picks }: RequestSeed): StatsRequest {
  const parts = plan.phases.flatMap(({ requests }) => requests.flatMap(({ parts }) => parts));
  const project = toProject(plan);
  const [a, b] = window.map((at) => times[at]!) as [string, string];
  const [start, end] = microseconds(a) <= microseconds(b) ? [a, b] : [b, a];
  const choose = (values: readonly string[]): string[] =>
    values.length === 0 ? [] : picks.map((pick) => values[pick % values.length]!);
  const textsOf = (name: string): string[] =>
    parts.map(({ part }) => part.get(name)).filter((value) => typeof value === 'string');
  const values: Record<keyof StatsFilter, unknown> = {
    op_names: choose([...opNames, 'weave:///e/p/op/step:*', 'none']),
    thread_ids: choose(threadIds).slice(0, 1),
    wb_user_ids: choose(userIds).slice(0, 2),
    trace_ids: choose(textsOf('trace_id')),
    call_ids: choose([...textsOf('id'), 'unknown']),
    parent_ids: choose([...textsOf('parent_id'), 'unknown']),
    trace_roots_only: true,
  };
  const chosen = Object.fromEntries(filter.map((name) => [name, values[name]])) as StatsFilter;
  return { project, start, end, groupBy, filter: chosen };
}

/** The distinct starts of buckets; `UTC` has no offset. */
function readStarts(buckets: readonly JsonObject[], timeZone: string): bigint[] {
  const texts = new Set(buckets.map((bucket) => bucket.get('timestamp') as string));
  return [...texts].map((text) => microseconds(timeZone === 'UTC' ? `${text}Z` : text));
}

function compareBuckets(
  actual: readonly JsonObject[],
  expected: readonly ExpectedBucket[],
  context: string,
): void {
  // Without usage in any bucket there is no group, and so no bucket.
  expect(actual.length, context).toBe(expected.length);
  for (const [index, bucket] of actual.entries()) {
    const { group, count, metrics } = expected[index]!;
    const fields = [...bucket];
    const toContext = (name: string): string => `${name} of ${writeJson(bucket)}\n${context}`;
    const values = fields.slice(1, 1 + group.length).map(([, value]) => value);
    if (writeJson(values) !== writeJson([...group])) {
      expect(values, toContext('group')).toEqual(group);
    }
    expectNumber(bucket.get('count')!, count, () => toContext('count'));
    for (const [name, value] of fields.slice(1 + group.length, -1)) {
      const [, aggregation = '', metric = ''] = /^(count_true|count_false|[^_]+)_(.+)$/.exec(name)!;
      const number = toExpected(aggregation, metrics.get(metric)!);
      expectNumber(value, number, () => toContext(name));
    }
  }
}

function toExpected(aggregation: string, { sum, values }: ExpectedMetric): bigint | number | null {
  const isEmpty = values.length === 0;
  const percentile = /^p([\d.]+)$/.exec(aggregation)?.[1];
  if (percentile !== undefined) return isEmpty ? null : interpolate(values, Number(percentile));
  switch (aggregation) {
    case 'sum':
      return sum ?? null;
    case 'avg':
      if (sum === undefined) return null;
      return isEmpty ? 0 : Number(sum) / values.length;
    case 'count':
      return BigInt(values.length);
    case 'min':
      return values[0] ?? null;
    case 'max':
      return values.at(-1) ?? null;
    default: {
      const wanted = aggregation === 'count_true' ? 1 : 0;
      return BigInt(values.filter((value) => value === wanted).length);
    }
  }
}

function interpolate(values: readonly number[], percentile: number): number {
  const position = ((values.length - 1) * percentile) / 100;
  const [low, high] = [values[Math.floor(position)]!, values[Math.ceil(position)]!];
  const share = position % 1;
  return low * (1 - share) + high * share;
}

function expectNumber(
  value: Json,
  expected: bigint | number | null,
  toContext: () => string,
): void {
  tally.numbers += 1;
  if (expected === null ? value === null : isEqual(text(value), expected)) return;
  expect(writeJson(value), toContext()).toBe(String(expected));
}

/** Integers to the last digit, averages and percentiles but for the rounding of doubles. */
function isEqual(actual: string, expected: bigint | number): boolean {
  if (typeof expected === 'bigint') return actual === String(expected);
  return Math.abs(Number(actual) - expected) <= Math.abs(expected) * 1e-12;
}

function text(value: Json | undefined): string {
  return value instanceof JsonNumber ? value.text : `no number: ${writeJson(value ?? null)}`;
}

function compareUnpriced(
  actual: readonly JsonObject[],
  expected: ReadonlyMap<string, readonly bigint[]>,
  context: string,
): void {
  tally.unpriced += actual.length;
  const names = ['requests', 'prompt_tokens', 'completion_tokens', 'total_tokens'];
  const read = actual.map((usage) => {
    if (!isObject(usage)) throw new Error('not an object');
    return [usage.get('model'), ...names.map((name) => text(usage.get(name)))];
  });
  const models = [...expected.keys()].sort(compareByCodePoint);
  expect(read, context).toEqual(
    models.map((model) => [model, ...expected.get(model)!.map(String)]),
  );
}
