/**
 * Walks from the sums of a project over its traces and their top calls down to single calls, while all traces are
 * read live, while half of them are rolled up, and once all are. Every sum equals that of its parts, by model.
 *
 * All prices and so all costs are whole billionths of a dollar, and sums are so small that a JSON number has all their digits.
 * So costs are compared exactly.
 *
 * FOREST_SEED repeats a run.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import type {
  CallStatsRes,
  TracesQueryRes,
  TraceUsageRes,
  TreeCall,
} from '../../../src/openapi-types.ts';
import { usageClientFixture } from '../../support/fixtures.ts';
import { findUnrolled, rollUpTraces } from '../../support/rollups/roll-up.ts';
import { toProject, type UsageAnswer } from '../../support/usage-client.ts';
import { randomSeed as seed } from '../../support/random-seed.ts';
import { mixedTraces, prices, toRows } from './mixed-traces.ts';

const [traces = []] = fc.sample(mixedTraces, { seed, numRuns: 1 });
const projectId = 'team/sums';

/** A service that makes no rollups after its start; the tests make them. */
const client = usageClientFixture({ ROLLUP_INTERVAL_MS: '3600000', LIST_BATCH_CALLS: '7' });

/** What some calls used of one model; costs in billionths of a dollar, null where nothing has a price. */
interface Sum {
  readonly requests: number;
  readonly prompt: number;
  readonly completion: number;
  readonly total: number;
  readonly promptCost: number | null;
  readonly completionCost: number | null;
}
type Usage = Readonly<Record<string, Sum>>;
type CallUsage = UsageAnswer['call_usage'][string];

function toBillionths(costUsd: number | null | undefined): number | null {
  expect(costUsd).not.toBeUndefined();
  if (costUsd === null || costUsd === undefined) return null;
  const billionths = Math.round(costUsd * 1e9);
  expect(billionths / 1e9).toBe(costUsd);
  return billionths;
}

function toUsage(usage: CallUsage): Usage {
  const entries = Object.entries(usage).map(([model, entry]): [string, Sum] => [
    model,
    {
      requests: entry.requests,
      prompt: entry.prompt_tokens,
      completion: entry.completion_tokens,
      total: entry.total_tokens,
      promptCost: toBillionths(entry.prompt_tokens_total_cost),
      completionCost: toBillionths(entry.completion_tokens_total_cost),
    },
  ]);
  return Object.fromEntries(entries);
}

function addCosts(left: number | null, right: number | null): number | null {
  return left === null || right === null ? (left ?? right) : left + right;
}

function addSums(left: Sum, right: Sum): Sum {
  return {
    requests: left.requests + right.requests,
    prompt: left.prompt + right.prompt,
    completion: left.completion + right.completion,
    total: left.total + right.total,
    promptCost: addCosts(left.promptCost, right.promptCost),
    completionCost: addCosts(left.completionCost, right.completionCost),
  };
}

function addUsage(usages: readonly Usage[]): Usage {
  const sums: Record<string, Sum> = {};
  for (const [model, entry] of usages.flatMap((usage) => Object.entries(usage))) {
    const sum = sums[model];
    sums[model] = sum === undefined ? entry : addSums(sum, entry);
  }
  return sums;
}

/** The sum over all models. */
function ofAllModels(usage: Usage) {
  const sums = Object.values(usage);
  const [first, ...rest] = sums;
  if (first === undefined) return { requests: 0, prompt: 0, completion: 0, total: 0, cost: 0 };
  const { promptCost, completionCost, ...counts } = rest.reduce(addSums, first);
  return { ...counts, cost: addCosts(promptCost, completionCost) };
}

async function ask(path: string, more: object): Promise<string> {
  const answer = await client.service.send(path, { body: { project_id: projectId, ...more } });
  expect(answer.status, answer.text).toBe(200);
  return answer.text;
}

// Single calls

interface Call {
  readonly id: string;
  readonly traceId: string;
  readonly hasError: boolean;
  readonly isRunning: boolean;
  /** What the call itself used. */
  readonly own: Usage;
}

interface ListedCall {
  readonly id: string;
  readonly trace_id: string;
  readonly ended_at: string | null;
  readonly summary: {
    readonly weave: {
      readonly status: string;
      readonly costs: CallUsage;
    };
  };
}

async function listCalls(): Promise<Call[]> {
  const text = await ask('/calls/stream_query', {
    include_costs: true,
    columns: ['ended_at', 'summary'],
  });
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => {
    const { id, trace_id: traceId, ended_at, summary } = JSON.parse(line) as ListedCall;
    const { status, costs } = summary.weave;
    const isRunning = ended_at === null;
    return { id, traceId, hasError: status === 'error', isRunning, own: toUsage(costs) };
  });
}

/** What of the calls has no price, by model. */
function unpricedOf(calls: readonly Call[]): Usage {
  const unpriced = calls.map(({ own }) =>
    Object.fromEntries(Object.entries(own).filter(([, { promptCost }]) => promptCost === null)),
  );
  return addUsage(unpriced);
}

// The project

async function queryStats(): Promise<CallStatsRes> {
  const usage = ['requests', 'input_tokens', 'output_tokens', 'total_tokens'];
  const costs = ['input_cost', 'output_cost'];
  const text = await ask('/calls/stats', {
    ...window,
    granularity: 86_400,
    usage_metrics: [...usage, ...costs].map((metric) => ({ metric })),
    call_metrics: [{ metric: 'call_count' }, { metric: 'error_count' }],
  });
  return JSON.parse(text) as CallStatsRes;
}

const window = { start: '2026-02-28T00:00:00Z', end: '2026-03-10T00:00:00Z' };

type Bucket = Readonly<Record<string, number | null>> & { readonly model: string };

function toBucketUsage(bucket: Bucket): Usage {
  const read = (metric: string): number => bucket[`sum_${metric}`] ?? Number.NaN;
  const readCost = (metric: string) => toBillionths(bucket[`sum_${metric}`] ?? null);
  return {
    [bucket.model]: {
      requests: read('requests'),
      prompt: read('input_tokens'),
      completion: read('output_tokens'),
      total: read('total_tokens'),
      promptCost: readCost('input_cost'),
      completionCost: readCost('output_cost'),
    },
  };
}

// Traces and trees

type Trace = TracesQueryRes['traces'][number];

async function queryTraces(more: object): Promise<TracesQueryRes> {
  const text = await ask('/traces/query', { ...window, limit: 7, ...more });
  return JSON.parse(text) as TracesQueryRes;
}

async function listTraces(): Promise<Trace[]> {
  const list: Trace[] = [];
  let cursor: string | null = null;
  do {
    const page: TracesQueryRes = await queryTraces({ cursor });
    list.push(...page.traces);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return list;
}

type TreeAnswer = Pick<TraceUsageRes, 'unfinished_call_ids' | 'total'> & {
  readonly calls: Readonly<Record<string, TreeCall>>;
  readonly call_usage: UsageAnswer['call_usage'];
};

async function queryTree(more: object): Promise<TreeAnswer> {
  return JSON.parse(await ask('/trace/usage', { include_costs: true, ...more })) as TreeAnswer;
}

/** The calls of a trace, level by level from the top, two at a time. */
async function walkLevels(traceId: string, parent_id: string | null): Promise<TreeAnswer[]> {
  const pages: TreeAnswer[] = [];
  const filter = { trace_ids: [traceId] };
  let offset = 0;
  for (;;) {
    const page = await queryTree({ filter, level: { parent_id, limit: 2, offset } });
    pages.push(page);
    offset += Object.keys(page.calls).length;
    const parents = Object.entries(page.calls).filter(([, { children }]) => children > 0);
    for (const [id] of parents) pages.push(...(await walkLevels(traceId, id)));
    if (offset >= page.total) return pages;
  }
}

interface Tree {
  readonly traceId: string;
  /** By id, in the order of the answer. */
  readonly calls: Readonly<Record<string, TreeCall>>;
  readonly answered: UsageAnswer['call_usage'];
  readonly usage: Readonly<Record<string, Usage>>;
  readonly tops: readonly string[];
}

/** One trace of an answer about several. */
function toTree(traceId: string, answer: TreeAnswer, of: readonly Call[]): Tree {
  const ids = new Set(of.map(({ id }) => id));
  const ofTrace = <T>(all: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(all).filter(([id]) => ids.has(id)));
  const calls = ofTrace(answer.calls);
  const answered = ofTrace(answer.call_usage);
  const usage = Object.entries(answered).map(([id, used]) => [id, toUsage(used)] as const);
  const tops = Object.entries(calls)
    .filter(([, { parent_id }]) => parent_id === null || !ids.has(parent_id))
    .map(([id]) => id);
  return { traceId, calls, answered, usage: Object.fromEntries(usage), tops };
}

const usageOf = ({ usage }: Tree, ids: readonly string[]): Usage =>
  addUsage(ids.map((id) => usage[id] ?? {}));

beforeAll(async () => {
  const project = toProject(client.service, projectId);
  for (const [model, cost] of prices) await project.setPrices({ [model]: cost });
  await client.clickhouse.insert('call_parts', toRows(projectId, traces));
});

const states = ['live', 'half rolled up', 'rolled up'] as const;

describe.each(states)(`traces that are %s (FOREST_SEED=${seed})`, (state) => {
  let calls: readonly Call[];
  let list: readonly Trace[];
  let trees: readonly Tree[];

  const callsOf = (traceId: string) => calls.filter((call) => call.traceId === traceId);

  beforeAll(async () => {
    const unrolled = await findUnrolled(client.clickhouse, projectId);
    const step = { live: Infinity, 'half rolled up': 2, 'rolled up': 1 }[state];
    const chosen = unrolled.filter((_, index) => (index + 1) % step === 0);
    await rollUpTraces(client.clickhouse, chosen);
    calls = await listCalls();
    list = await listTraces();
    const trace_ids = list.map(({ trace_id }) => trace_id);
    const answer = await queryTree({ filter: { trace_ids } });
    trees = trace_ids.map((traceId) => toTree(traceId, answer, callsOf(traceId)));
  }, 120_000);

  test('are answered from rollups, where they have one', () => {
    const settled = list.filter(({ is_settled }) => is_settled).length;
    if (state === 'live') expect(settled).toBe(0);
    else expect(settled).toBeGreaterThan(5);
  });

  test('have costs, repeated spans, calls without a price, errors and running calls', () => {
    const counting = trees.flatMap((tree) => Object.values(tree.calls));
    expect(counting.filter(({ counts_less }) => counts_less).length).toBeGreaterThan(0);
    expect(trees.filter(({ tops }) => tops.length > 1).length).toBeGreaterThan(2);
    expect(calls.filter(({ own }) => (own['house']?.promptCost ?? 0) > 0).length).toBeGreaterThan(
      5,
    );
    expect(Object.keys(unpricedOf(calls))).toContain('house');
    expect(calls.filter(({ hasError }) => hasError).length).toBeGreaterThan(10);
    expect(calls.filter(({ isRunning }) => isRunning).length).toBeGreaterThan(2);
  });

  test('statistics of the project are the sums of its single calls', async () => {
    const stats = await queryStats();
    const buckets = (stats.usage_buckets as Bucket[]).filter(({ count }) => count !== 0);
    expect(addUsage(buckets.map(toBucketUsage))).toEqual(addUsage(calls.map(({ own }) => own)));
    const entries = calls.flatMap(({ own }) => Object.keys(own)).length;
    expect(buckets.reduce((sum, { count }) => sum + (count ?? 0), 0)).toBe(entries);
    const sumOf = (metric: string) =>
      (stats.call_buckets as Bucket[]).reduce((sum, bucket) => sum + (bucket[metric] ?? 0), 0);
    expect(sumOf('sum_call_count')).toBe(calls.length);
    expect(sumOf('sum_error_count')).toBe(calls.filter(({ hasError }) => hasError).length);
    const unpriced = Object.entries(unpricedOf(calls)).map(([model, sum]) => ({
      ...{ model, requests: sum.requests, prompt_tokens: sum.prompt },
      ...{ completion_tokens: sum.completion, total_tokens: sum.total },
    }));
    expect(stats.unpriced).toEqual(unpriced.sort((a, b) => (a.model < b.model ? -1 : 1)));
  });

  test('are counted as they are listed', async () => {
    const { count } = JSON.parse(await ask('/calls/query_stats', {})) as { count: number };
    expect(count).toBe(calls.length);
    expect(new Set(list.map(({ trace_id }) => trace_id))).toEqual(
      new Set(calls.map(({ traceId }) => traceId)),
    );
  });

  test('totals of the list are the sums of its pages and of the project', async () => {
    const { totals } = await queryTraces({ limit: 1 });
    const sum = (toNumber: (trace: Trace) => number) =>
      list.reduce((total, trace) => total + toNumber(trace), 0);
    expect(totals).toMatchObject({
      traces: list.length,
      calls: sum(({ call_count }) => call_count),
      errors: sum(({ error_count }) => error_count),
      unfinished: sum(({ unfinished_count }) => unfinished_count),
      total_tokens: sum(({ total_tokens }) => total_tokens),
      is_lower_bound: true,
      unpriced_models: Object.keys(unpricedOf(calls)).sort(),
    });
    const cost = toBillionths(totals?.cost ?? null);
    expect(cost).toBe(sum((trace) => toBillionths(trace.cost) ?? 0));
    const project = ofAllModels(addUsage(calls.map(({ own }) => own)));
    expect(cost).toBe(project.cost);
    expect(totals?.total_tokens).toBe(project.total);
    expect(totals?.calls).toBe(calls.length);
  });

  test('each trace of the list is the sum of its top calls, and of its single calls', () => {
    for (const [index, trace] of list.entries()) {
      const tree = trees[index]!;
      const single = callsOf(trace.trace_id);
      const usage = usageOf(tree, tree.tops);
      expect(addUsage(single.map(({ own }) => own)), trace.trace_id).toEqual(usage);
      const { cost, requests, prompt, completion, total } = ofAllModels(usage);
      expect({ ...trace, cost: toBillionths(trace.cost) }, trace.trace_id).toMatchObject({
        ...{ cost, requests, prompt_tokens: prompt, completion_tokens: completion },
        total_tokens: total,
        models: Object.keys(usage).sort(),
        unpriced_models: Object.keys(unpricedOf(single)).sort(),
        is_lower_bound: Object.keys(unpricedOf(single)).length > 0,
        call_count: single.length,
        error_count: single.filter(({ hasError }) => hasError).length,
        unfinished_count: single.filter(({ isRunning }) => isRunning).length,
      });
    }
  });

  test('each call of a tree is the sum of its children and what it used itself', () => {
    for (const tree of trees) {
      const single = callsOf(tree.traceId);
      expect(Object.keys(tree.calls).sort()).toEqual(single.map(({ id }) => id).sort());
      for (const { id, own, hasError } of single) {
        const children = Object.keys(tree.calls).filter(
          (child) => tree.calls[child]?.parent_id === id,
        );
        const parts = [own, usageOf(tree, children)];
        expect(tree.usage[id], id).toEqual(addUsage(parts));
        expect(tree.calls[id]).toMatchObject({ children: children.length, has_error: hasError });
      }
    }
  });

  test('levels of a tree are the tree', async () => {
    // Rollups do not matter here, and each level is a request: some of the trees in each state are enough.
    const some = trees.filter((_, index) => index % 20 === states.indexOf(state));
    const checks = some.map(async ({ traceId, ...tree }) => {
      const pages = await walkLevels(traceId, null);
      const calls = Object.assign({}, ...pages.map((page) => page.calls)) as object;
      const usage = Object.assign({}, ...pages.map((page) => page.call_usage)) as object;
      expect([calls, usage], traceId).toEqual([tree.calls, tree.answered]);
    });
    await Promise.all(checks);
    expect(checks.length).toBeGreaterThan(0);
  }, 120_000);

  test('calls that are not marked answer what /calls/usage does; some top calls share a response, and are marked', async () => {
    const ids = calls.map(({ id }) => id);
    const project = toProject(client.service, projectId);
    const { call_usage, unfinished_call_ids } = await project.queryUsage(ids, {
      include_costs: true,
    });
    const running = calls.filter(({ isRunning }) => isRunning).map(({ id }) => id);
    expect(unfinished_call_ids).toEqual(running.sort());
    let markedTops = 0;
    for (const { calls: treeCalls, answered, tops } of trees) {
      const isMarked = (id: string) => treeCalls[id]?.counts_less === true;
      for (const id of Object.keys(treeCalls)) {
        if (isMarked(id)) expect(answered[id], id).not.toEqual(call_usage[id]);
        else expect(answered[id], id).toEqual(call_usage[id]);
      }
      markedTops += tops.filter(isMarked).length;
    }
    expect(markedTops).toBeGreaterThan(0);
  });
});
