import { expect, test } from 'vitest';
import type { TraceUsageRes } from '../../../src/openapi-types.ts';
import { usageClientFixture } from '../../support/fixtures.ts';
import { completeRow, type Row } from '../../support/rows/part-rows.ts';
import type { Project, UsageAnswer } from '../../support/usage-client.ts';
import { promptUsage } from '../../support/usage-client.ts';

const client = usageClientFixture();

type TreeAnswer = Omit<TraceUsageRes, 'call_usage'> & Pick<UsageAnswer, 'call_usage'>;

async function send(project: Project, body: object) {
  return await client.service.send('/trace/usage', { body: { project_id: project.id, ...body } });
}

/** Sends POST /trace/usage, which must answer 200. */
async function queryTrace(project: Project, body: object): Promise<TreeAnswer> {
  const answer = await send(project, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as TreeAnswer;
}

/** Prompt tokens of the model `m` by call, in the order of the answer. */
function promptsOf({ call_usage }: TreeAnswer): object {
  const entries = Object.entries(call_usage).map(([id, usage]) => [id, usage['m']?.prompt_tokens]);
  return Object.fromEntries(entries) as object;
}

const trace = { filter: { trace_ids: ['trace'] } };

test('each call has its usage and that of all descendants, also where a filter leaves them out', async () => {
  const project = client.newProject();
  await project.setPrices({ m: { prompt_token_cost: 0.001, completion_token_cost: 0 } });
  await project.sendCompleteCalls(
    { id: 'root', usage: promptUsage(1), startedAt: '2026-01-31T11:00:00Z' },
    { id: 'a', parent: 'root', usage: promptUsage(2), startedAt: '2026-01-31T11:00:01Z' },
    { id: 'b', parent: 'a', usage: promptUsage(4), startedAt: '2026-01-31T11:00:02Z' },
    { id: 'none', parent: 'root', startedAt: '2026-01-31T11:00:03Z' },
  );
  await project.upsertBatch(
    project.startItem({ id: 'open', parent: 'b', startedAt: '2026-01-31T11:00:04Z' }),
  );
  const answer = await queryTrace(project, { ...trace, include_costs: true });
  expect(Object.keys(answer.call_usage)).toEqual(['root', 'a', 'b', 'none', 'open']);
  expect(promptsOf(answer)).toEqual({ root: 7, a: 6, b: 4 });
  expect(answer.call_usage['root']?.['m']?.prompt_tokens_total_cost).toBe(0.007);
  expect(answer.call_usage).toEqual(
    (await project.queryUsage(['root', 'a', 'b', 'none', 'open'], { include_costs: true }))
      .call_usage,
  );
  expect(answer).toMatchObject({
    unfinished_call_ids: ['open'],
    total: 5,
    calls: {
      root: { parent_id: null, children: 2, descendants: 4, counts_less: false },
      a: { parent_id: 'root', children: 1, descendants: 2, op_name: 'op', has_error: false },
      open: { parent_id: 'b', children: 0, descendants: 0, ended_at: null },
    },
  });
  const some = await queryTrace(project, { filter: { call_ids: ['root', 'b'] } });
  expect(promptsOf(some)).toEqual({ root: 7, b: 4 });
});

test('an end that came before its start without a trace counts for its call and those above', async () => {
  const project = client.newProject();
  const summary = { usage: { m: { prompt_tokens: 3, requests: 1 } } };
  await project.upsertBatch(project.endItem({ id: 'late' }, { summary }));
  await project.sendCompleteCalls({ id: 'root', usage: promptUsage(1) });
  await project.upsertBatch(
    project.startItem({
      id: 'late',
      parent: 'root',
      trace: 'trace',
      startedAt: '2026-01-31T12:00:00Z',
    }),
  );
  const answer = await queryTrace(project, trace);
  expect(promptsOf(answer)).toEqual({ root: 4, late: 3 });
  expect(answer.unfinished_call_ids).toEqual([]);
});

test.each<[string, Row, object]>([
  ['an SDK has added to that of their parents', { usage_mode: 1 }, { root: 20, inner: 7, leaf: 3 }],
  ['is theirs alone', {}, { root: 30, inner: 10, leaf: 3 }],
])(
  'a whole trace has the same usage as its calls alone, where usage %s',
  async (_, mode, prompts) => {
    const project = client.newProject();
    const row = (id: string, parent: string, prompt: number, second: number) =>
      completeRow(
        project.id,
        { id, parent, usage: promptUsage(prompt), startedAt: `2026-01-31 11:00:0${second}.000000` },
        mode,
      );
    await client.clickhouse.insert('call_parts', [
      row('root', '', 20, 0),
      row('inner', 'root', 7, 1),
      row('leaf', 'inner', 3, 2),
    ]);
    const answer = await queryTrace(project, trace);
    expect(promptsOf(answer)).toEqual(prompts);
    const ids = Object.keys(prompts);
    expect(answer.call_usage).toEqual((await project.queryUsage(ids)).call_usage);
    expect(await queryTrace(project, { filter: { call_ids: ids } })).toEqual(answer);
  },
);

test('in a whole trace, calls of a cycle share their usage, and one that is its own parent is no child', async () => {
  const project = client.newProject();
  await project.sendCompleteCalls(
    { id: 'a', parent: 'b', usage: promptUsage(1), startedAt: '2026-01-31T11:00:00Z' },
    { id: 'b', parent: 'a', usage: promptUsage(2), startedAt: '2026-01-31T11:00:01Z' },
    { id: 'own', parent: 'own', usage: promptUsage(4), startedAt: '2026-01-31T11:00:02Z' },
    { id: 'lost', parent: 'gone', usage: promptUsage(8), startedAt: '2026-01-31T11:00:03Z' },
  );
  const answer = await queryTrace(project, trace);
  expect(promptsOf(answer)).toEqual({ a: 3, b: 3, own: 4, lost: 8 });
  expect(answer.calls).toMatchObject({
    a: { children: 1 },
    b: { children: 1 },
    own: { children: 0 },
  });
  const ids = ['a', 'b', 'own', 'lost'];
  expect(await queryTrace(project, { filter: { call_ids: ids } })).toEqual(answer);
});

test('levels are pages of children by start, and top calls include those whose parent is missing', async () => {
  const project = client.newProject();
  const child = (n: number) => ({
    ...{ id: `c${n}`, parent: 'root', usage: promptUsage(1) },
    startedAt: `2026-01-31T11:00:0${n}Z`,
  });
  await project.sendCompleteCalls(
    { id: 'root', usage: promptUsage(10) },
    ...[3, 1, 2].map(child),
    { id: 'lost', parent: 'gone', usage: promptUsage(100) },
    { id: 'below', parent: 'c2', usage: promptUsage(5) },
  );
  const level = (more: object) => queryTrace(project, { ...trace, level: more });
  const top = await level({ parent_id: null });
  expect(promptsOf(top)).toEqual({ root: 18, lost: 100 });
  expect(top.total).toBe(2);
  const first = await level({ parent_id: 'root', limit: 2 });
  expect([Object.keys(first.call_usage), first.total]).toEqual([['c1', 'c2'], 3]);
  expect(promptsOf(first)).toEqual({ c1: 1, c2: 6 });
  const second = await queryTrace(project, { level: { parent_id: 'root', limit: 2, offset: 2 } });
  expect(promptsOf(second)).toEqual({ c3: 1 });
  expect(second.calls).toMatchObject({ c3: { children: 0, descendants: 0 } });
});

test('the last page of 60,000 children has those that started last, and says how many there are', async () => {
  const project = client.newProject();
  const [children, limit] = [60_000, 7];
  await client.clickhouse.command(
    `INSERT INTO call_parts (project_id, trace_id, id, parent_id, kind, started_at, ended_at)
     SELECT {project: String}, 'trace', if(number = 0, 'root', concat('child ', toString(number))), if(number = 0, '', 'root'), 'whole',
         fromUnixTimestamp64Micro(1769860800000000 + number) AS start, start
     FROM numbers({children: UInt32} + 1)`,
    { project: project.id, children },
  );
  const offset = children - limit + 2;
  const level = { parent_id: 'root', limit, offset };
  const last = await queryTrace(project, { level, limit: 2 * children });
  const expected = Array.from(
    { length: children - offset },
    (_, index) => `child ${offset + index + 1}`,
  );
  expect(Object.keys(last.call_usage)).toEqual(expected);
  expect(last.total).toBe(children);
  const behind = await queryTrace(project, { level: { ...level, offset: children } });
  expect(behind).toMatchObject({ call_usage: {}, total: children });
});

test('of spans that repeat a response, one counts in the whole tree, and calls that would count more alone are marked', async () => {
  const project = client.newProject();
  const span = (id: string, parent: string, second: number, more: object = {}) =>
    completeRow(
      project.id,
      { id, parent, usage: promptUsage(8), startedAt: `2026-01-31 11:00:0${second}.000000` },
      { usage_mode: 2, span_kind: 1, ...more },
    );
  const plain = { usage_mode: 2, summary_dump: '{}', span_kind: 0 };
  await client.clickhouse.insert('call_parts', [
    span('root', '', 0, plain),
    span('left', 'root', 1, plain),
    span('right', 'root', 2, plain),
    span('early', 'left', 3, { output_id: 'response' }),
    span('late', 'right', 4, { output_id: 'response' }),
  ]);
  const answer = await queryTrace(project, trace);
  expect(promptsOf(answer)).toEqual({ root: 8, right: 8, late: 8 });
  const marked = Object.entries(answer.calls).filter(([, { counts_less }]) => counts_less);
  expect(marked.map(([id]) => id)).toEqual(['left', 'early']);
  const alone = await project.queryUsage(['left', 'root']);
  expect(alone.call_usage['left']?.['m']?.prompt_tokens).toBe(8);
  expect(alone.call_usage['root']?.['m']?.prompt_tokens).toBe(8);
  const level = await queryTrace(project, { level: { parent_id: 'root' } });
  expect(promptsOf(level)).toEqual({ right: 8 });
  expect(level.calls).toMatchObject({ left: { counts_less: true }, right: { counts_less: false } });
});

test('more calls than the limit are refused with both numbers, and none is cut', async () => {
  const project = client.newProject();
  await project.sendCompleteCalls({ id: 'a' }, { id: 'b', parent: 'a' }, { id: 'c', parent: 'a' });
  const refused = await send(project, { ...trace, limit: 2 });
  expect([refused.status, refused.json()]).toEqual([
    422,
    {
      detail: [
        {
          loc: ['body', 'limit'],
          msg: 'The request touches 3 calls, which is more than its limit of 2',
          type: 'limit_exceeded',
        },
      ],
    },
  ]);
  expect((await queryTrace(project, { ...trace, limit: 3 })).total).toBe(3);
});

test('a trace that does not exist has no calls', async () => {
  const answer = await queryTrace(client.newProject(), trace);
  expect(answer).toEqual({ call_usage: {}, unfinished_call_ids: [], calls: {}, total: 0 });
});
