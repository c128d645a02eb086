/**
 * Sends the same calls to one server and to a cluster of two shards, and compares what both answer to every request for a list,
 * a tree, projects and an export: read live, and once all traces are rolled up.
 *
 * FOREST_SEED repeats a run.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import type { ProjectsRes, TracesQueryRes, TraceUsageRes } from '../../../src/openapi-types.ts';
import { clickhouseFixture, clusterFixture, fixture } from '../../support/fixtures.ts';
import { openService, type TestService } from '../../support/http/service.ts';
import { randomSeed as seed } from '../../support/random-seed.ts';
import { createSettle } from '../../support/rollups/settle-rollups.ts';
import { toProject } from '../../support/usage-client.ts';
import { mixedTraces, prices, toRows } from './mixed-traces.ts';

const mixed = 'team/mixed';
const sent = 'team/sent';
const projects = [mixed, sent];

const server = clickhouseFixture();
const cluster = clusterFixture();

function startedService(toSettings: () => Readonly<Record<string, string>>): TestService {
  return fixture(async () => {
    const service = await openService(toSettings());
    await service.ready;
    return service;
  });
}

/** Small batches, so that a list is several reads. */
const live = { ROLLUPS: 'false', LIST_BATCH_CALLS: '50' };
const quick = { ROLLUP_QUIET_MS: '300', ROLLUP_INTERVAL_MS: '300', LIST_BATCH_CALLS: '50' };
const ofServer = {
  live: startedService(() => ({ ...server.environment, ...live })),
  'rolled up': startedService(() => ({ ...server.environment, ...quick })),
};
const ofCluster = {
  live: startedService(() => ({ ...cluster.environment, ...live })),
  'rolled up': startedService(() => ({ ...cluster.environment, ...quick })),
};
const states = ['live', 'rolled up'] as const;

const hourMs = 3_600_000;
/** Both stores get the same times. */
const nowMs = Date.now();
const toTime = (ms: number): string => new Date(ms).toISOString();
const window = { start: '2026-02-28T00:00:00Z', end: toTime(nowMs + hourMs) };
const models = ['house', 'gpt-4o', 'unpriced'];
const numbers = Array.from({ length: 12 }, (_, index) => index);

/** A root and its child in each trace: some rolled up by an SDK, deleted, running, or with an end that arrives before its start. */
async function sendCalls(service: TestService): Promise<void> {
  const project = toProject(service, sent);
  for (const number of numbers) {
    const trace = `sent ${number}`;
    const startedAt = toTime(nowMs - (number + 1) * hourMs);
    const [root, child] = [`${number} root`, `${number} child`];
    const usage = { [models[number % 3]!]: { requests: 1, prompt_tokens: 10 + number } };
    const names = { wb_user_id: `user ${number % 2}`, thread_id: number % 4 === 0 ? 'thread' : '' };
    const more = {
      ...{ ...names, ended_at: toTime(nowMs), op_name: `Op ${number % 5}` },
      attributes: number % 3 === 0 ? { weave: { source: 'js-sdk' } } : {},
    };
    const ofChild = { id: child, trace, parent: root, startedAt, usage };
    if (number % 6 === 5) await project.upsertBatch(project.endItem(ofChild, more));
    const items = [{ id: root, trace, startedAt, usage }, ofChild].map((call) =>
      project.startItem(call, more),
    );
    await project.upsertBatch(...items);
    // Every sixth child runs.
    const ends = number % 6 === 5 ? [{ id: root, usage }] : [{ id: root, usage }, ofChild];
    if (number % 6 !== 4) await project.upsertBatch(...ends.map((e) => project.endItem(e, more)));
  }
  await project.deleteCalls('1 child', '2 root');
}

beforeAll(async () => {
  const [traces = []] = fc.sample(mixedTraces, { seed, numRuns: 1 });
  const rows = toRows(mixed, traces);
  await Promise.all([server.insert('call_parts', rows), cluster.insert('call_parts', rows)]);
  for (const service of [ofServer.live, ofCluster.live]) {
    for (const project of projects) {
      for (const [model, cost] of prices) {
        await toProject(service, project).setPrices({ [model]: cost });
      }
    }
    await sendCalls(service);
    await toProject(service, 'other/one').sendCompleteCalls({ id: '1', startedAt: toTime(nowMs) });
  }
  const settles = [
    createSettle((sql) => server.query(sql)),
    createSettle((sql) => cluster.query(0, sql)),
  ];
  await Promise.all(settles.map((settle) => settle(projects)));
}, 120_000);

// Requests

type Ask = (service: TestService) => Promise<unknown>;

async function post<Answer>(service: TestService, path: string, body: object): Promise<Answer> {
  const answer = await service.send(path, { body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Answer;
}

async function get(
  service: TestService,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<string> {
  const answer = await service.send(`${path}?${new URLSearchParams(query).toString()}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.text;
}

async function queryTraces(
  service: TestService,
  projectId: string,
  more: object,
): Promise<TracesQueryRes[]> {
  const pages: TracesQueryRes[] = [];
  let cursor: string | null = null;
  do {
    const body = { project_id: projectId, ...window, limit: 100, cursor, ...more };
    const page: TracesQueryRes = await post(service, '/traces/query', body);
    pages.push(page);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return pages;
}

/** In pages of 25, of about 40 traces. */
const orders = [
  ...[
    { field: 'started_at', direction: 'asc' },
    { field: 'started_at', direction: 'desc' },
  ],
  ...[
    { field: 'cost', direction: 'asc' },
    { field: 'cost', direction: 'desc' },
  ],
  ...[{ field: 'total_tokens' }, { field: 'duration' }, { field: 'call_count' }],
];
const traceRequests: readonly object[] = [
  ...orders.map((sort_by) => ({ sort_by, limit: 25 })),
  ...[
    ...[{ search: 'OP 1', models: ['gpt-4o'] }, { op_names: ['op 1', 'Op 1'] }],
    ...[{ wb_user_ids: ['user 1'] }, { thread_ids: ['thread'] }],
    ...[{ has_error: true }, { is_running: true }],
  ].map((filter) => ({ filter, sort_by: { field: 'cost' } })),
  { include_costs: false, start: '2026-03-03T00:00:00Z', end: '2026-03-04T00:00:00Z' },
];

const byStart = { $getField: 'started_at' };
const before = (time: string) => ({ $expr: { $lt: [byStart, { $literal: time }] } });
const listRequests: readonly object[] = [
  { sort_by: [{ field: 'started_at', direction: 'desc' }], limit: 9, offset: 4 },
  { sort_by: [{ field: 'started_at', direction: 'asc' }], include_costs: true },
  { sort_by: [{ field: 'ended_at', direction: 'desc' }], limit: 30 },
  ...[
    ...[{ trace_roots_only: true }, { op_names: ['op 2', 'Op 2'] }, { wb_user_ids: ['user 0'] }],
    ...[{ call_ids: ['0-0', '1-0', '3 child'] }, { parent_ids: ['0-0', '3 root'] }],
  ].map((filter) => ({ filter, limit: 20 })),
  { query: before('2026-03-03T00:30:00Z'), limit: 20 },
];

async function walkTrees(service: TestService, projectId: string): Promise<unknown[]> {
  const list = await queryTraces(service, projectId, {});
  const traceIds = list.flatMap(({ traces }) => traces.map(({ trace_id }) => trace_id));
  const ask = (more: object): Promise<TraceUsageRes> =>
    post(service, '/trace/usage', { project_id: projectId, include_costs: true, ...more });
  const all = await ask({ filter: { trace_ids: traceIds } });
  const answers = [all];
  for (const trace of traceIds.slice(0, 4)) {
    const filter = { trace_ids: [trace] };
    const tops = await ask({ filter, level: { limit: 2 } });
    answers.push(await ask({ filter }), tops);
    for (const parent_id of Object.keys(tops.calls)) {
      answers.push(await ask({ filter, level: { parent_id, limit: 2, offset: 1 } }));
    }
  }
  return answers;
}

async function listProjects(service: TestService): Promise<ProjectsRes[]> {
  const pages: ProjectsRes[] = [];
  let cursor: string | null = null;
  do {
    const query = { limit: '2', ...(cursor === null ? {} : { cursor }) };
    const page = JSON.parse(await get(service, '/projects', query)) as ProjectsRes;
    pages.push(page);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return pages;
}

async function exportAll(service: TestService, format: string): Promise<string> {
  const query = { project: '*', ...window, format, bucket: 'hour', group_by: 'model,op_name' };
  return await get(service, '/usage/export', query);
}

/** The projects take turns with the requests, each of which four services answer. */
const ofProject = (project: string, requests: readonly object[]): readonly object[] =>
  requests.filter((_, index) => index % projects.length === projects.indexOf(project));

async function expectSame(state: (typeof states)[number], ask: Ask): Promise<unknown> {
  const [expected, actual] = await Promise.all([ask(ofServer[state]), ask(ofCluster[state])]);
  expect(actual).toEqual(expected);
  return actual;
}

// Comparisons

test('both shards have traces of each project', async () => {
  for (const node of [0, 1]) {
    const rows = await cluster.query<{ project_id: string; traces: string }>(
      node,
      `SELECT project_id, uniqExact(trace_id) AS traces FROM calls_usage_local.merged_calls
        WHERE project_id IN ('${projects.join("', '")}') GROUP BY project_id`,
    );
    expect(rows.map(({ project_id }) => project_id).sort()).toEqual(projects);
    for (const { traces } of rows) expect(Number(traces)).toBeGreaterThan(2);
  }
});

test('an end that arrived before its start is found on the other shard, also of a trace with a rollup', async () => {
  // The first request for these traces, so no other one has stored the end again.
  const ask: Ask = (service) => queryTraces(service, sent, { include_costs: false });
  const pages = (await expectSame('rolled up', ask)) as TracesQueryRes[];
  const running = pages.flatMap(({ traces }) => traces.filter((each) => each.unfinished_count > 0));
  expect(running.map(({ trace_id }) => trace_id).sort()).toEqual(['sent 10', 'sent 4']);
});

describe.each(states)('traces that are %s', { timeout: 300_000 }, (state) => {
  test.each(projects)('of %s are listed on a cluster as on one server', async (project) => {
    const isSettled: boolean[] = [];
    // Live traces are put into order by the service, not by a statement.
    const requests = state === 'rolled up' ? traceRequests : traceRequests.slice(0, 4);
    for (const more of ofProject(project, requests)) {
      const pages = await expectSame(state, (service) => queryTraces(service, project, more));
      for (const { traces } of pages as TracesQueryRes[]) {
        isSettled.push(...traces.map(({ is_settled }) => is_settled));
      }
    }
    expect(isSettled.length).toBeGreaterThan(10);
    expect(isSettled.includes(true)).toBe(state === 'rolled up');
  });

  test.each(projects)('of %s have the same calls in lists and trees', async (project_id) => {
    for (const more of ofProject(project_id, listRequests)) {
      const body = { project_id, ...more };
      await expectSame(state, async (service) => {
        const { status, text } = await service.send('/calls/stream_query', { body });
        return [status, text];
      });
      const { query, filter } = more as { query?: object; filter?: object };
      const counted = { project_id, query, filter };
      await expectSame(state, (service) => post(service, '/calls/query_stats', counted));
    }
    const trees = await expectSame(state, (service) => walkTrees(service, project_id));
    expect((trees as unknown[]).length).toBeGreaterThan(8);
  });

  test('are counted in the same projects, and exported as the same files', async () => {
    const pages = (await expectSame(state, listProjects)) as ProjectsRes[];
    const listed = pages.flatMap((page) => page.projects);
    expect(listed.map(({ project_id }) => project_id)).toEqual(['other/one', ...projects]);
    expect(listed.every(({ call_count }) => call_count > 0)).toBe(true);
    for (const format of ['csv', 'jsonl', 'focus']) {
      const file = await expectSame(state, (service) => exportAll(service, format));
      expect((file as string).split('\n').length).toBeGreaterThan(20);
    }
  });
});
