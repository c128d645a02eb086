import { beforeEach, describe, expect, test } from 'vitest';

import { fixture, usageClientFixture } from '../support/fixtures.ts';
import { readMetrics } from '../support/http/metrics.ts';
import { openService } from '../support/http/service.ts';
import { completeRow, orphanEndRow } from '../support/rows/part-rows.ts';
import { rollUpProject } from '../support/rollups/roll-up.ts';
import { promptUsage, type Project } from '../support/usage-client.ts';

/** A service that uses rollups, and makes none after its start; the tests make them. */
const client = usageClientFixture({ ROLLUP_INTERVAL_MS: '3600000' });

/** A service on the same database that computes every answer from all calls. */
const live = fixture(async () => {
  const service = await openService({ ...client.clickhouse.environment, ROLLUPS: 'false' });
  await service.ready;
  return service;
});

let project: Project;
beforeEach(() => {
  project = client.newProject();
});

interface Answer extends Record<string, unknown> {
  readonly live_traces: number;
}

const window = { start: '2026-03-01T00:00:00Z', end: '2026-03-02T00:00:00Z' };
const sums = { aggregations: ['sum', 'avg', 'count'] };
const request = {
  ...{ ...window, granularity: 900, group_by: ['model', 'op_name'] },
  usage_metrics: [
    { metric: 'input_tokens', ...sums },
    { metric: 'total_cost', ...sums },
  ],
  call_metrics: ['call_count', 'error_count', 'latency_ms'].map((metric) => ({ metric, ...sums })),
};

/** Sends a request to both services, whose answers must be the same, and returns how many traces were read live. */
async function countLive(more: object = {}): Promise<number> {
  return (await compare('/calls/stats', { ...request, ...more })).live_traces;
}

async function compare(path: string, more: object): Promise<Answer> {
  const body = { project_id: project.id, ...more };
  const answer = await client.service.send(path, { body });
  expect(answer.status, answer.text).toBe(200);
  const { live_traces, ...rest } = answer.json() as Answer;
  const expected = (await live.send(path, { body })).json() as Answer;
  expect({ ...rest, live_traces: expected.live_traces }).toEqual(expected);
  return { ...rest, live_traces };
}

const at = (minute: number): string => `2026-03-01T10:${String(minute).padStart(2, '0')}:00Z`;
const price = { prompt_token_cost: 0.001, completion_token_cost: 0.002 };

/** A trace with calls at minutes 1 and 3, and two traces at minute 20. */
async function sendTraces(): Promise<void> {
  const usage = (tokens: number) => ({
    house: { requests: 1, prompt_tokens: tokens, completion_tokens: 1 },
    other: { requests: 1, prompt_tokens: 2 },
  });
  await project.setPrices({ house: { ...price, effective_date: '2026-01-01' } });
  await project.sendCompleteCalls(
    { id: 'root', trace: 'tree', usage: usage(10), startedAt: at(1) },
    { id: 'child', trace: 'tree', parent: 'root', usage: usage(20), startedAt: at(3) },
    { id: 'second', trace: 'second', usage: usage(100), startedAt: at(20) },
    { id: 'third', trace: 'third', startedAt: at(20) },
  );
}

async function sendSettled(): Promise<void> {
  await sendTraces();
  expect(await countLive()).toBe(3);
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
}

describe('settled traces', () => {
  test('are answered from their rollups, as they are live', async () => {
    await sendSettled();
    expect(await countLive()).toBe(0);
    const totals = { ...window, costs: { other: price } };
    expect(await compare('/cost/preview', totals)).toMatchObject({ live_traces: 0 });
    expect(await countLive({ usage_metrics: [] })).toBe(0);
    expect(await countLive({ timezone: 'Asia/Kathmandu', granularity: 86_400 })).toBe(0);
    const filter = { trace_ids: ['tree', 'second', 'unknown'], op_names: ['op'] };
    expect(await countLive({ filter })).toBe(0);
  });

  test('are added to those that changed a moment ago', async () => {
    await sendSettled();
    const { usage_buckets: before } = await compare('/calls/stats', request);
    const usage = { house: { prompt_tokens: 5 } };
    const added = { id: 'new', trace: 'second', parent: 'second', startedAt: at(21), usage };
    await project.sendCompleteCalls(added);
    const { usage_buckets: after, live_traces } = await compare('/calls/stats', request);
    expect(live_traces).toBe(1);
    expect(after).not.toEqual(before);
    await project.deleteCalls('child');
    expect(await countLive()).toBe(2);
    expect(await countLive({ filter: { trace_ids: ['third'] } })).toBe(0);
  });

  test('are read live where the filter is about calls, parents or roots, and where each value is needed', async () => {
    await sendSettled();
    expect(await countLive({ filter: { call_ids: ['child', 'second'] } })).toBe(2);
    expect(await countLive({ filter: { parent_ids: ['root'] } })).toBe(1);
    expect(await countLive({ filter: { trace_roots_only: true } })).toBe(3);
    const usage_metrics = [{ metric: 'input_tokens', aggregations: ['max'], percentiles: [50] }];
    expect(await countLive({ usage_metrics })).toBe(2 + 1);
    const call_metrics = [{ metric: 'latency_ms', aggregations: ['min'] }];
    expect(await countLive({ usage_metrics: [], call_metrics })).toBe(3);
  });
});

test('traces whose calls are all deleted are not read for statistics or lists', async () => {
  await sendSettled();
  await project.deleteCalls('second');
  await project.deleteCalls('third');
  const countLiveQueries = async (): Promise<number> =>
    (await readMetrics(client.service))
      .flatMap(({ samples }) => samples)
      .filter(({ name }) => name === 'calls_usage_clickhouse_request_duration_seconds_count')
      .filter(({ labels }) => ['stats_traces', 'live_traces'].includes(labels['query'] ?? ''))
      .reduce((sum, { value }) => sum + value, 0);
  const ask = async (): Promise<number> => {
    const before = await countLiveQueries();
    await compare('/calls/stats', request);
    const body = { project_id: project.id, ...window };
    const [listed, expected] = await Promise.all(
      [client.service, live].map((service) => service.send('/traces/query', { body })),
    );
    expect(listed!.status, listed!.text).toBe(200);
    const { traces } = listed!.json() as { traces: object[] };
    expect(traces).toHaveLength(1);
    const [rows, liveRows] = [traces, (expected!.json() as { traces: object[] }).traces].map(
      (list) => list.map((trace) => ({ ...trace, is_settled: true })),
    );
    expect(rows).toEqual(liveRows);
    return (await countLiveQueries()) - before;
  };
  expect(await ask()).toBeGreaterThan(0);
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
  expect(await ask()).toBe(0);
});

describe('a trace is read live alone', () => {
  test.each<[string, object]>([
    ['of a group of which the window starts inside', { start: at(2) }],
    ['of a group of which the window ends inside', { end: at(3) }],
    ['of a group of which a bucket ends inside', { granularity: 60, end: '2026-03-01T11:00:00Z' }],
  ])('%s', async (_, more) => {
    await sendSettled();
    expect(await countLive(more)).toBe(1);
  });

  test.each<[string, object]>([
    ['a price begins', { effective_date: at(2) }],
    ['a price for larger prompts begins', { prompt_tokens_above: 15 }],
  ])('of a group inside which %s', async (_, bound) => {
    await sendSettled();
    const changed = {
      ...price,
      effective_date: '2026-01-01',
      completion_token_cost: 0.009,
      ...bound,
    };
    const costs = { house: changed };
    expect(await compare('/cost/preview', { ...window, costs })).toMatchObject({ live_traces: 1 });
    await project.setPrices(costs);
    expect(await countLive()).toBe(1);
    expect(await countLive({ usage_metrics: [{ metric: 'total_tokens' }] })).toBe(0);
  });
});

test('a trace with a cycle is answered from its rollup until it changes', async () => {
  const call = (id: string, parent: string, minute: number) =>
    completeRow(project.id, {
      ...{ id, parent, trace: 'cycle', startedAt: at(minute).replace('T', ' ').replace('Z', '') },
      usage: promptUsage(2 ** minute),
    });
  await sendTraces();
  await client.clickhouse.insert('call_parts', [
    ...[call('a', 'b', 4), call('b', 'a', 5), call('below', 'a', 6), call('root', '', 7)],
    ...[call('child', 'root', 8), call('own parent', 'own parent', 9)],
  ]);
  expect(await countLive()).toBe(4);
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
  expect(await countLive()).toBe(0);
  const filter = { trace_ids: ['cycle'] };
  expect(await countLive({ filter })).toBe(0);
  expect(await compare('/cost/preview', { ...window, costs: {} })).toMatchObject({
    live_traces: 0,
  });
  await client.clickhouse.insert('call_parts', [call('late', 'b', 10)]);
  expect(await countLive({ filter })).toBe(1);
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
  expect(await countLive({ filter })).toBe(0);
});

test('a price that begins at another minute than that of a quarter is applied to the right calls', async () => {
  await sendSettled();
  // Sunday, when the window is.
  const start = 6 * 24 * 60 + 10 * 60;
  const quarters = { ...price, minutes_of_week: [{ start, end: start + 15 }] };
  await project.setPrices({ house: { ...quarters, prompt_token_cost: 0.005 } });
  expect(await countLive()).toBe(0);
  const minutes = { ...price, minutes_of_week: [{ start, end: start + 2 }] };
  await project.setPrices({ house: { ...minutes, prompt_token_cost: 0.007 } });
  expect(await countLive()).toBe(3);
});

test('an end that was stored without its trace after the rollup counts', async () => {
  await project.upsertBatch(project.startItem({ id: 'root', startedAt: at(5) }));
  expect(await rollUpProject(client.clickhouse, project.id)).toBe(0);
  expect(await countLive()).toBe(0);
  const end = orphanEndRow(project.id, { id: 'root', usage: promptUsage(5) });
  await client.clickhouse.insert('call_parts', [end]);
  const body = { project_id: project.id, ...request };
  const { text } = await client.service.send('/calls/stats', { body });
  expect(text).toContain('"sum_input_tokens":5,');
  // It is attached once, though the old rollup is still stored.
  const checksum = await readChecksum();
  expect(await countLive()).toBe(1);
  await client.service.send('/traces/query', { body: { project_id: project.id, ...window } });
  expect(await readChecksum()).toBe(checksum);
});

/** Changes with each part that is stored, also with one that was stored before. */
async function readChecksum(): Promise<string> {
  const [row] = await client.clickhouse.query<{ checksum: string }>(
    'SELECT toString(sum(checksum)) AS checksum FROM merged_calls WHERE project_id = {id:String}',
    { id: project.id },
  );
  return row?.checksum ?? '';
}
