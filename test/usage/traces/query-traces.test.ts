/**
 * Lists random traces in every order and with filters, while all of them are read live, while half of them are rolled up,
 * and once all are. What each trace used is compared with what POST /calls/usage answers for its top calls at a
 * service without rollups; names, counts, orders, sums and percentiles are computed here.
 *
 * FOREST_SEED repeats a run.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import type { TracesQueryReq, TracesQueryRes } from '../../../src/openapi-types.ts';
import { fixture, usageClientFixture } from '../../support/fixtures.ts';
import { openService } from '../../support/http/service.ts';
import { completeRow, deletionRow, type Row, startRow } from '../../support/rows/part-rows.ts';
import { findUnrolled, rollUpTraces } from '../../support/rollups/roll-up.ts';
import { toProject } from '../../support/usage-client.ts';
import { randomSeed as seed } from '../../support/random-seed.ts';

type Trace = TracesQueryRes['traces'][number];
type Totals = NonNullable<TracesQueryRes['totals']>;
type Sort = TracesQueryReq['sort_by'];

const projectId = 'team/traces';
const dayMs = 86_400_000;
const firstDay = Date.parse('2026-03-01T00:00:00Z');

/** A service that uses rollups, and makes none after its start; the tests make them. */
const client = usageClientFixture({ ROLLUP_INTERVAL_MS: '3600000' });

const live = fixture(async () => {
  const service = await openService({ ...client.clickhouse.environment, ROLLUPS: 'false' });
  await service.ready;
  return service;
});

interface Call {
  readonly parent: number | 'missing' | null;
  readonly startMs: number;
  readonly lengthMs: number | null;
  readonly model: string | null;
  readonly prompt: number;
  readonly op: string;
  readonly user: string;
  readonly thread: string;
  readonly hasError: boolean;
  readonly isDeleted: boolean;
}

const call = fc.record<Call>({
  parent: fc.oneof(
    { weight: 8, arbitrary: fc.nat(5) },
    fc.constantFrom<'missing' | null>('missing', null),
  ),
  startMs: fc.nat(60 * 60_000),
  lengthMs: fc.option(fc.integer({ min: -1_000, max: 90_000 }), { freq: 8 }),
  model: fc.option(fc.constantFrom('gpt-4o', 'claude-sonnet-4-5', 'unpriced', 'also unpriced')),
  prompt: fc.nat(300_000),
  op: fc.constantFrom('chat', 'Rank:v1', 'rank:v2'),
  user: fc.constantFrom('', 'u1', 'u2'),
  thread: fc.constantFrom('', 't1', 't2'),
  hasError: fc.boolean(),
  isDeleted: fc.constantFrom(false, false, false, false, true),
});

const forest = fc.array(
  fc.record({ day: fc.nat(4), calls: fc.array(call, { minLength: 1, maxLength: 6 }) }),
  { minLength: 30, maxLength: 30 },
);
const [traces = []] = fc.sample(forest, { seed, numRuns: 1 });

const toId = (trace: number, index: number): string => `${trace}-${index}`;
const toTraceId = (trace: number): string => `trace ${trace}`;
const toTime = (ms: number): string => new Date(ms).toISOString();

function repeatsModel(traceId: string): boolean {
  const { calls } = traces.find((_, trace) => toTraceId(trace) === traceId) ?? { calls: [] };
  const models = calls.flatMap(({ model, isDeleted }) => (isDeleted ? [] : (model ?? [])));
  return new Set(models).size < models.length;
}

/** The parent of a call is one before it, or the first call is a root. */
function toParent({ parent }: Call, trace: number, index: number): string {
  if (parent === null || index === 0) return '';
  return parent === 'missing' ? 'missing' : toId(trace, parent % index);
}

function toRows(): Row[] {
  return traces.flatMap(({ day, calls }, trace) =>
    calls.flatMap((each, index) => {
      const start = firstDay + day * dayMs + each.startMs;
      const id = toId(trace, index);
      const parent = toParent(each, trace, index);
      const shape = { id, trace: toTraceId(trace), ...(parent === '' ? {} : { parent }) };
      const usage = { requests: 1, prompt_tokens: each.prompt, completion_tokens: 7 };
      const more = {
        op_name: each.op,
        display_name: index % 2 === 0 ? `named ${id}` : '',
        wb_user_id: each.user,
        thread_id: each.thread,
        exception: each.hasError ? 'broke' : '',
        started_at: toTime(start).replace('Z', '').replace('T', ' '),
      };
      const used = each.model === null ? shape : { ...shape, usage: { [each.model]: usage } };
      const row =
        each.lengthMs === null
          ? startRow(projectId, used, more)
          : completeRow(projectId, used, {
              ...more,
              ended_at: toTime(start + each.lengthMs)
                .replace('Z', '')
                .replace('T', ' '),
            });
      return each.isDeleted ? [row, deletionRow(projectId, shape)] : [row];
    }),
  );
}

/** What the list should say of a trace, without what it used; undefined if all its calls are deleted. */
function expectCalls(trace: number) {
  const { day, calls } = traces[trace] ?? { day: 0, calls: [] };
  const present = calls.flatMap((each, index) => (each.isDeleted ? [] : [{ ...each, index }]));
  const ids = new Set(present.map(({ index }) => toId(trace, index)));
  const tops = present
    .filter((each) => !ids.has(toParent(each, trace, each.index)))
    .sort((a, b) => a.startMs - b.startMs);
  const [root] = tops;
  if (root === undefined) return undefined;
  const start = firstDay + day * dayMs + root.startMs;
  const isEnded = root.lengthMs !== null && root.lengthMs >= 0;
  const distinct = (values: string[]) => [...new Set(values)].filter((v) => v !== '').sort();
  return {
    tops: tops.map(({ index }) => toId(trace, index)),
    expected: {
      trace_id: toTraceId(trace),
      root: {
        id: toId(trace, root.index),
        op_name: root.op,
        display_name: root.index % 2 === 0 ? `named ${toId(trace, root.index)}` : null,
        started_at: toTime(start).replace('Z', '000Z'),
        ended_at: isEnded ? toTime(start + (root.lengthMs ?? 0)).replace('Z', '000Z') : null,
      },
      duration_ms: isEnded ? root.lengthMs : null,
      call_count: present.length,
      error_count: present.filter(({ hasError }) => hasError).length,
      unfinished_count: present.filter(({ lengthMs }) => lengthMs === null).length,
      wb_user_ids: distinct(present.map(({ user }) => user)),
      thread_ids: distinct(present.map(({ thread }) => thread)),
    },
  };
}

type UsageOf = Pick<
  Trace,
  | 'models'
  | 'requests'
  | 'prompt_tokens'
  | 'completion_tokens'
  | 'total_tokens'
  | 'cost'
  | 'is_lower_bound'
  | 'unpriced_models'
>;

async function expectUsage(tops: readonly string[]): Promise<UsageOf> {
  const { call_usage } = await toProject(live, projectId).queryUsage(tops, { include_costs: true });
  const entries = Object.values(call_usage).flatMap((usage) => Object.entries(usage));
  const sum = (field: 'requests' | 'prompt_tokens' | 'completion_tokens' | 'total_tokens') =>
    entries.reduce((total, [, usage]) => total + usage[field], 0);
  const costs = entries.flatMap(([, usage]) => {
    const [prompt, completion] = [
      usage.prompt_tokens_total_cost,
      usage.completion_tokens_total_cost,
    ];
    return typeof prompt === 'number' && typeof completion === 'number'
      ? [prompt + completion]
      : [];
  });
  const unpriced = entries.filter(([, usage]) => usage.prompt_tokens_total_cost === null);
  const total = costs.reduce((a, b) => a + b, 0);
  return {
    models: [...new Set(entries.map(([model]) => model))].sort(),
    requests: sum('requests'),
    prompt_tokens: sum('prompt_tokens'),
    completion_tokens: sum('completion_tokens'),
    total_tokens: sum('total_tokens'),
    cost: costs.length === 0 && entries.length > 0 ? null : round(total),
    is_lower_bound: unpriced.length > 0,
    unpriced_models: [...new Set(unpriced.map(([model]) => model))].sort(),
  };
}

/** The sum of rounded numbers is not the rounded sum. */
const round = (cost: number): number => Number(cost.toFixed(12));

type ExpectedTrace = Omit<Trace, 'is_settled'>;
let expectedTraces: readonly ExpectedTrace[];

async function expectTraces(): Promise<ExpectedTrace[]> {
  const expected: ExpectedTrace[] = [];
  for (const trace of traces.keys()) {
    const calls = expectCalls(trace);
    if (calls === undefined) continue;
    expected.push({ ...calls.expected, ...(await expectUsage(calls.tops)) });
  }
  return expected;
}

const request = { project_id: projectId, start: '2026-03-02', end: '2026-03-05' };

const isInWindow = ({ root }: ExpectedTrace): boolean =>
  root.started_at >= '2026-03-02' && root.started_at < '2026-03-05';

async function query(more: object): Promise<TracesQueryRes> {
  const answer = await client.service.send('/traces/query', { body: { ...request, ...more } });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as TracesQueryRes;
}

function withoutState(list: readonly Trace[]): ExpectedTrace[] {
  return list.map(({ is_settled: _, cost, ...rest }) => ({
    ...{ ...rest, cost: cost === null ? null : round(cost) },
  }));
}

/** So few that a list has several pages. */
const pageSize = 8;

async function readAll(more: object): Promise<ExpectedTrace[]> {
  const read: Trace[] = [];
  let cursor: string | null = null;
  do {
    const answer: TracesQueryRes = await query({
      ...more,
      limit: pageSize,
      include_totals: false,
      cursor,
    });
    expect(answer.totals).toBeNull();
    expect(answer.traces.length).toBeLessThanOrEqual(pageSize);
    read.push(...answer.traces);
    cursor = answer.next_cursor;
  } while (cursor !== null);
  return withoutState(read);
}

const numbers: Readonly<Record<Sort['field'], (trace: ExpectedTrace) => number | null>> = {
  started_at: ({ root }) => Date.parse(root.started_at),
  cost: ({ cost }) => cost,
  total_tokens: ({ total_tokens }) => total_tokens,
  duration: ({ duration_ms }) => duration_ms,
  call_count: ({ call_count }) => call_count,
};

/** Without a number last, then by number, then by trace id. */
function inOrder(list: readonly ExpectedTrace[], { field, direction }: Sort): ExpectedTrace[] {
  const number = numbers[field];
  return [...list].sort((a, b) => {
    const [left, right] = [number(a), number(b)];
    if (left === right) return a.trace_id < b.trace_id ? -1 : 1;
    if (left === null || right === null) return left === null ? 1 : -1;
    return direction === 'asc' ? left - right : right - left;
  });
}

function percentile(values: readonly (number | null)[], percent: number): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const position = (percent * (sorted.length - 1)) / 100;
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
  if (below === undefined || above === undefined) return null;
  return below + (above - below) * (position - Math.floor(position));
}

function expectTotals(totals: Totals | null, list: readonly ExpectedTrace[]): void {
  const sum = (toNumber: (trace: ExpectedTrace) => number) =>
    list.reduce((total, trace) => total + toNumber(trace), 0);
  const unpriced = [...new Set(list.flatMap(({ unpriced_models }) => unpriced_models))].sort();
  expect(totals).toMatchObject({
    traces: list.length,
    calls: sum(({ call_count }) => call_count),
    errors: sum(({ error_count }) => error_count),
    unfinished: sum(({ unfinished_count }) => unfinished_count),
    total_tokens: sum(({ total_tokens }) => total_tokens),
    is_lower_bound: unpriced.length > 0,
    unpriced_models: unpriced,
  });
  const hasCost = list.some(({ models, cost }) => models.length > 0 && cost !== null);
  const isUsed = list.some(({ models }) => models.length > 0);
  const cost = isUsed && !hasCost ? null : sum((trace) => trace.cost ?? 0);
  expectNear(totals?.cost, cost);
  for (const percent of [50, 95, 99] as const) {
    const name = `p${percent}` as const;
    expectNear(totals?.cost_percentiles[name], percentile(list.map(numbers.cost), percent));
    const duration = percentile(list.map(numbers.duration), percent);
    expectNear(totals?.duration_ms_percentiles[name], duration);
  }
}

function expectNear(actual: number | null | undefined, expected: number | null): void {
  if (expected === null) expect(actual).toBeNull();
  else expect(actual).toBeCloseTo(expected, 9);
}

beforeAll(async () => {
  await client.clickhouse.insert('call_parts', toRows());
  expectedTraces = await expectTraces();
  expect(expectedTraces.filter(isInWindow).length).toBeGreaterThan(5);
}, 120_000);

const filters: readonly [object, (trace: ExpectedTrace) => boolean][] = [
  [{}, () => true],
  [{ op_names: ['chat'] }, ({ root }) => root.op_name === 'chat'],
  [{ op_names: ['rank:*'] }, ({ root }) => root.op_name === 'rank:v2'],
  [{ search: 'RANK' }, ({ root }) => root.op_name !== 'chat'],
  [{ search: 'Trace 1' }, ({ trace_id }) => trace_id.startsWith('trace 1')],
  [{ search: 'Named' }, ({ root }) => root.display_name !== null],
  [{ wb_user_ids: ['u1', 'x'] }, ({ wb_user_ids }) => wb_user_ids.includes('u1')],
  [{ thread_ids: ['t2'] }, ({ thread_ids }) => thread_ids.includes('t2')],
  [{ models: ['gpt-4o'] }, ({ models }) => models.includes('gpt-4o')],
  [{ has_error: true }, ({ error_count }) => error_count > 0],
  [{ has_error: false }, ({ error_count }) => error_count === 0],
  [{ is_running: true }, ({ unfinished_count }) => unfinished_count > 0],
  [{ is_running: false }, ({ unfinished_count }) => unfinished_count === 0],
];

describe.each([
  ['live', () => false],
  ['half rolled up', (index: number) => index % 2 === 0],
  ['rolled up', () => true],
] as const)(`traces that are %s (FOREST_SEED=${seed})`, (state, isRolledUp) => {
  beforeAll(async () => {
    const unrolled = await findUnrolled(client.clickhouse, projectId);
    await rollUpTraces(
      client.clickhouse,
      unrolled.filter((_, index) => isRolledUp(index)),
    );
  });

  test.each(
    (['started_at', 'cost', 'total_tokens', 'duration', 'call_count'] as const).flatMap((field) =>
      (['asc', 'desc'] as const).map((direction): [Sort] => [{ field, direction }]),
    ),
  )('come in the order of $field, $direction, page by page', async (sort_by) => {
    const expected = inOrder(expectedTraces.filter(isInWindow), sort_by);
    expect(await readAll({ sort_by })).toEqual(expected);
  });

  // But for sums of several calls of a model: a price may begin between two of them.
  test('are answered from rollups exactly if they have one', async () => {
    const answer = await query({ limit: 1_000 });
    const list = answer.traces.filter(({ trace_id }) => !repeatsModel(trace_id));
    expect(list.length).toBeGreaterThan(2);
    const settled = list.filter(({ is_settled }) => is_settled);
    if (state === 'live') expect(answer.traces.some(({ is_settled }) => is_settled)).toBe(false);
    else if (state === 'rolled up') expect(settled).toEqual(list);
    else expect(answer.traces.some(({ is_settled }) => is_settled)).toBe(true);
  });

  test.each(filters)(
    'are filtered by %j, with exact sums and percentiles',
    async (filter, matches) => {
      const expected = expectedTraces.filter((trace) => isInWindow(trace) && matches(trace));
      const { traces: list, totals } = await query({ filter, limit: 1_000 });
      const order: Sort = { field: 'started_at', direction: 'desc' };
      expect(withoutState(list)).toEqual(inOrder(expected, order));
      expectTotals(totals, expected);
    },
  );
});
