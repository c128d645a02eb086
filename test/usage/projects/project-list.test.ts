import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { CallStatsRes, ProjectsRes } from '../../../src/openapi-types.ts';
import { usageClientFixture } from '../../support/fixtures.ts';
import { openService } from '../../support/http/service.ts';
import { validationIssuesOf } from '../../support/http/validation-issues.ts';
import { type CallShape, toProject } from '../../support/usage-client.ts';

const client = usageClientFixture({ STATS_MAX_CALLS: '3' });

const hourMs = 3_600_000;
const agoOf = (hours: number): string => new Date(Date.now() - hours * hourMs).toISOString();
const recent = agoOf(1);
const old = agoOf(25);
const usage = { requests: 1, prompt_tokens: 10, completion_tokens: 5 };
const price = {
  prompt_token_cost: 0.001,
  completion_token_cost: 0.002,
  effective_date: '2020-01-01',
};

const callsOf: Readonly<Record<string, readonly CallShape[]>> = {
  'a/mixed': [
    { id: '1', trace: 't1', startedAt: recent, usage: { priced: usage, other: usage } },
    { id: '2', trace: 't1', startedAt: old, usage: { priced: usage } },
  ],
  'a/old': [{ id: '1', trace: 't1', startedAt: old, usage: { priced: usage } }],
  'a/Priced': [
    { id: '1', trace: 't1', startedAt: recent, usage: { priced: usage } },
    { id: '2', trace: 't2', startedAt: recent, usage: { priced: usage } },
    { id: '3', trace: 't3', startedAt: recent, usage: { priced: usage } },
  ],
  'b/deleted': [{ id: '1', trace: 't1', startedAt: recent, usage: { priced: usage } }],
  'b/large': ['1', '2', '3', '4'].map((id) => ({ id, startedAt: recent, usage: { m: usage } })),
  'b/unpriced': [{ id: '1', trace: 't1', startedAt: recent, usage: { other: usage } }],
};
const ids = Object.keys(callsOf).sort();

beforeAll(async () => {
  for (const [id, calls] of Object.entries(callsOf)) {
    const project = toProject(client.service, id);
    await project.setPrices({ priced: price });
    await project.sendCompleteCalls(...calls);
  }
  await toProject(client.service, 'a/Priced').deleteCalls('3');
  await toProject(client.service, 'b/deleted').deleteCalls('1');
});

const send = (parameters: Readonly<Record<string, string>> = {}, key?: string) =>
  client.service.send(`/projects?${new URLSearchParams(parameters).toString()}`, {
    ...(key === undefined ? {} : { key }),
  });

async function list(parameters: Readonly<Record<string, string>> = {}): Promise<ProjectsRes> {
  const answer = await send(parameters);
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as ProjectsRes;
}

const idsOf = ({ projects }: ProjectsRes) => projects.map(({ project_id }) => project_id);

test('counts calls and traces that are not deleted, and says when the last call started', async () => {
  const { projects } = await list();
  expect(projects.map((each) => Object.values(each).slice(0, 3))).toEqual([
    ['a/Priced', 2, 2],
    ['a/mixed', 2, 1],
    ['a/old', 1, 1],
    ['b/deleted', 0, 0],
    ['b/large', 4, 1],
    ['b/unpriced', 1, 1],
  ]);
  const times = projects.map(({ last_call_at }) => last_call_at && Date.parse(last_call_at));
  const [recentMs, oldMs] = [Date.parse(recent), Date.parse(old)];
  expect(times).toEqual([recentMs, recentMs, oldMs, null, recentMs, recentMs]);
});

test('costs are those of statistics of the last 24 hours, null if nothing has a price', async () => {
  for (const { project_id, cost_24h, is_lower_bound } of (await list()).projects) {
    const answer = await client.service.send('/calls/stats', {
      body: {
        ...{ project_id, start: agoOf(24), granularity: 31_622_400, group_by: [] },
        usage_metrics: [{ metric: 'total_cost' }],
      },
    });
    if (project_id === 'b/large') {
      expect([answer.status, cost_24h, is_lower_bound]).toEqual([422, null, true]);
      continue;
    }
    const { usage_buckets: buckets, unpriced } = answer.json() as CallStatsRes;
    const costs = buckets.map((bucket) => (bucket as Record<string, unknown>)['sum_total_cost']);
    // Of a window over the turn of the year, the empty bucket costs nothing.
    const [cost = 0] = costs.filter((each) => each !== 0);
    expect({ project_id, cost: cost_24h }).toEqual({ project_id, cost });
    expect(is_lower_bound).toBe(unpriced.length > 0);
  }
  const { projects } = await list();
  expect(projects.map(({ cost_24h }) => cost_24h)).toEqual([0.04, 0.02, 0, 0, null, null]);
});

test('pages go on by name, and a search ignores upper and lower case', async () => {
  const found: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: ProjectsRes = await list({ limit: '2', cursor });
    found.push(...idsOf(page));
    cursor = page.next_cursor;
  }
  expect(found).toEqual(ids);
  expect(idsOf(await list({ search: 'PRICED' }))).toEqual(['a/Priced', 'b/unpriced']);
  expect(await list({ search: 'none' })).toEqual({ projects: [], next_cursor: null });
});

test('parameters that are wrong, repeated or unknown are refused', async () => {
  const refuse = async (query: string) => {
    const issues = validationIssuesOf(await client.service.send(`/projects?${query}`));
    return issues.map(({ type, loc, msg }) => `${type} ${loc.join('.')}: ${msg}`);
  };
  for (const limit of ['101', '123456789012345']) {
    expect(await refuse(`limit=${limit}`)).toEqual([
      expect.stringMatching(/^less_than_equal query.limit: .*100.*PROJECTS_MAX_LIMIT/),
    ]);
  }
  for (const limit of ['0', '-1', '-123456789012345']) {
    expect(await refuse(`limit=${limit}`)).toEqual([
      'greater_than_equal query.limit: Input should be greater than or equal to 1',
    ]);
  }
  expect(await refuse('limit=x')).toEqual([expect.stringMatching(/^int_.* query.limit/)]);
  expect(await refuse('search=a&search=b')).toEqual([
    expect.stringMatching(/^string_type query.search/),
  ]);
  expect(await refuse('name=a')).toEqual([expect.stringMatching(/^extra_forbidden query.name/)]);
});

test('a key sees the projects that it may read, and needs the scope read', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'projects-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'keys.json');
  const toKey = (name: string, rights: readonly string[]) => ({
    ...{ name, rights, projects: ['a/old', 'b/*'] },
    sha256: createHash('sha256').update(name).digest('hex'),
  });
  const keys = [toKey('reader', ['read']), toKey('writer', ['write'])];
  await writeFile(file, JSON.stringify({ keys }));
  const service = await openService({ ...client.clickhouse.environment, API_KEYS_FILE: file });
  onTestFinished(() => service.close());
  await service.ready;
  const answer = await service.send('/projects', { key: 'reader' });
  expect(idsOf(answer.json() as ProjectsRes)).toEqual([
    ...['a/old', 'b/deleted', 'b/large', 'b/unpriced'],
  ]);
  expect((await service.send('/projects', { key: 'writer' })).status).toBe(403);
});
