import { expect, test } from 'vitest';

import { usageClientFixture } from '../../support/fixtures.ts';
import { type Project, promptUsage } from '../../support/usage-client.ts';

const client = usageClientFixture();

/** A project in which the ids `same` and `child` are in two traces, with other usage in each. */
async function newProject(): Promise<Project> {
  const project = client.newProject();
  await project.sendCompleteCalls(
    { id: 'same', trace: 'one', usage: promptUsage(1) },
    { id: 'child', trace: 'one', parent: 'same', usage: promptUsage(20) },
    { id: 'same', trace: 'two', usage: promptUsage(300) },
    { id: 'child', trace: 'two', parent: 'same', usage: promptUsage(4_000) },
    { id: 'other', trace: 'two', parent: 'same', usage: promptUsage(50_000) },
  );
  return project;
}

interface Line {
  readonly id: string;
  readonly trace_id: string;
  readonly summary: {
    readonly weave: { readonly costs: Record<string, { readonly prompt_tokens: number }> };
  };
}

/** The calls of a list with their own prompt tokens. */
async function listPrompts({ id }: Project, filter: object): Promise<unknown[][]> {
  const body = { project_id: id, filter, include_costs: true, columns: ['summary'] };
  const answer = await client.service.send('/calls/stream_query', { body });
  expect(answer.status, answer.text).toBe(200);
  const lines = answer.text.split('\n').slice(0, -1);
  return lines
    .map((line) => JSON.parse(line) as Line)
    .map(({ id, trace_id, summary }) => [trace_id, id, summary.weave.costs['m']?.prompt_tokens])
    .sort();
}

test('calls of two traces with the same id have each their own costs in a list', async () => {
  const project = await newProject();
  expect(await listPrompts(project, {})).toEqual([
    ['one', 'child', 20],
    ['one', 'same', 1],
    ['two', 'child', 4_000],
    ['two', 'other', 50_000],
    ['two', 'same', 300],
  ]);
});

test.each([
  { trace: 'one', same: 1, children: [['one', 'child', 20]] },
  {
    trace: 'two',
    same: 300,
    children: [
      ['two', 'child', 4_000],
      ['two', 'other', 50_000],
    ],
  },
])('a filter that names trace $trace means the calls and parents there', async (expected) => {
  const { trace, same, children } = expected;
  const project = await newProject();
  const trace_ids = [trace];
  expect(await listPrompts(project, { trace_ids, call_ids: ['same'] })).toEqual([
    [trace, 'same', same],
  ]);
  expect(await listPrompts(project, { trace_ids, parent_ids: ['same'] })).toEqual(children);
  const stats = await client.service.send('/calls/stats', {
    body: {
      ...{ project_id: project.id, start: '2026-01-01', end: '2027-01-01', granularity: 86_400 },
      ...{ usage_metrics: [{ metric: 'input_tokens' }], filter: { trace_ids, call_ids: ['same'] } },
    },
  });
  expect(stats.status, stats.text).toBe(200);
  const { usage_buckets } = stats.json() as { usage_buckets: { sum_input_tokens?: number }[] };
  const sums = usage_buckets.map(({ sum_input_tokens: sum }) => sum ?? 0);
  expect(sums.reduce((total, sum) => total + sum, 0)).toBe(same);
});

test('a filter that names both traces means the calls with an id in both', async () => {
  const filter = { trace_ids: ['one', 'two'], call_ids: ['same', 'unknown'] };
  expect(await listPrompts(await newProject(), filter)).toEqual([
    ['one', 'same', 1],
    ['two', 'same', 300],
  ]);
});

test('a level of a trace has the children there, also where their parent has the id of a call elsewhere', async () => {
  const project = await newProject();
  for (const [trace, ids] of Object.entries({ one: ['child'], two: ['child', 'other'] })) {
    const answer = await client.service.send('/trace/usage', {
      body: {
        ...{ project_id: project.id, filter: { trace_ids: [trace] } },
        level: { parent_id: 'same' },
      },
    });
    expect(answer.status, answer.text).toBe(200);
    const { calls } = answer.json() as { calls: object };
    expect(Object.keys(calls).sort(), trace).toEqual(ids);
  }
});

test('a request for two traces that have an id in common is refused, and says which', async () => {
  const project = await newProject();
  const send = (trace_ids: string[]) =>
    client.service.send('/trace/usage', {
      body: { project_id: project.id, filter: { trace_ids, call_ids: ['same'] } },
    });
  const refused = await send(['one', 'two']);
  expect([refused.status, refused.json()]).toEqual([
    422,
    {
      detail: [
        {
          loc: ['body', 'filter'],
          msg: 'The id "same" is in the traces "one" and "two", and an answer has each id once; name one of them in trace_ids',
          type: 'id_repeated',
        },
      ],
    },
  ]);
  expect((await send(['one'])).status).toBe(200);
});
