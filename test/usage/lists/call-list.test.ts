import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../../support/fixtures.ts';
import type { Project, UsageClient } from '../../support/usage-client.ts';

const client = usageClientFixture({ LIST_BATCH_CALLS: '3' });

interface Call extends Record<string, unknown> {
  readonly id: string;
}

/** Sends POST /calls/stream_query, which must answer 200 in lines of JSON. */
async function listCalls(
  project: Project,
  body: object,
  { service }: Pick<UsageClient, 'service'> = client,
): Promise<Call[]> {
  const answer = await service.send('/calls/stream_query', {
    body: { project_id: project.id, ...body },
  });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers.get('content-type')).toBe('application/jsonl');
  expect(answer.text === '' || answer.text.endsWith('\n')).toBe(true);
  const lines = answer.text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Call);
}

async function listIds(project: Project, body: object): Promise<string[]> {
  return (await listCalls(project, body)).map(({ id }) => id);
}

async function countCalls(project: Project, body: object): Promise<unknown> {
  const answer = await client.service.send('/calls/query_stats', {
    body: { project_id: project.id, ...body },
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.json();
}

const minute = (n: number): string => new Date(Date.UTC(2026, 2, 1, 10, n)).toISOString();

/** Calls a to h start one minute after the other; all but h end half an hour after their start, later ones earlier. */
async function openFamily(): Promise<Project> {
  const project = client.newProject();
  const call = (id: string, n: number, parent: string | null, more: object = {}): object =>
    project.completeCall(
      { id, trace: `t${id < 'e' ? 1 : 2}`, parent: parent ?? undefined, startedAt: minute(n) },
      { ended_at: minute(60 - n), ...more },
    );
  const batch = [
    call('d', 3, 'c', { wb_run_id: 'team/project/run', turn_id: 'turn' }),
    call('a', 0, null, { op_name: 'weave:///team/project/op/ask:v1', display_name: 'Ask' }),
    call('b', 1, 'a', { op_name: 'weave:///team/project/op/ask:v2', wb_user_id: 'ada' }),
    call('c', 2, 'a', { thread_id: 'thread', wb_user_id: 'bob' }),
    call('e', 4, null, { exception: 'ValueError: no' }),
    call('f', 5, 'e', { op_name: 'weave:///team/project/op/asking:v1' }),
    call('g', 6, 'gone'),
  ];
  const answer = await client.service.send(`/v2/${project.id}/calls/complete`, { body: { batch } });
  expect(answer.text).toBe('{}');
  await project.upsertBatch(
    project.startItem({ id: 'h', trace: 't2', parent: 'e', startedAt: minute(7) }),
    project.startItem({ id: 'x', trace: 't3', startedAt: minute(8) }),
  );
  await project.deleteCalls('x');
  return project;
}

const at = (field: string, operator: string, literal: unknown): object => ({
  [operator]: [{ $getField: field }, { $literal: literal }],
});
const seconds = (n: number): number => Date.parse(minute(n)) / 1000;
const expression = ($expr: object): object => ({ query: { $expr } });

test.each<[string, object, string]>([
  ['without a condition all, by start', {}, 'abcdefgh'],
  ['empty lists as no condition', { filter: { call_ids: [], op_names: null } }, 'abcdefgh'],
  ['calls without a parent', { filter: { trace_roots_only: true } }, 'ae'],
  [
    'ids, of which unknown and deleted ones match nothing',
    { filter: { call_ids: ['c', 'a', 'x', '?'] } },
    'ac',
  ],
  ['traces', { filter: { trace_ids: ['t2', 't9'] } }, 'efgh'],
  ['parents', { filter: { parent_ids: ['a', 'e'] } }, 'bcfh'],
  ['a parent that never arrived', { filter: { parent_ids: ['gone'] } }, ''],
  ['names', { filter: { op_names: ['weave:///team/project/op/ask:v1', 'op'] } }, 'acdegh'],
  ['all versions of a name', { filter: { op_names: ['weave:///team/project/op/ask:*'] } }, 'ab'],
  ['threads', { filter: { thread_ids: ['thread'] } }, 'c'],
  ['turns', { filter: { turn_ids: ['turn', 'other'] } }, 'd'],
  ['users', { filter: { wb_user_ids: ['ada', 'bob'] } }, 'bc'],
  ['runs', { filter: { wb_run_ids: ['team/project/run'] } }, 'd'],
  ['several conditions at once', { filter: { trace_ids: ['t1'], wb_user_ids: ['ada'] } }, 'b'],
  [
    'a start at or after a number of seconds',
    expression(at('started_at', '$gte', seconds(5))),
    'fgh',
  ],
  ['a start after a time', expression(at('started_at', '$gt', minute(5))), 'gh'],
  [
    'a start before a time without a zone',
    expression(at('started_at', '$lt', minute(2).replace('Z', ''))),
    'ab',
  ],
  ['a start at or before', expression(at('started_at', '$lte', seconds(2))), 'abc'],
  ['one start', expression(at('started_at', '$eq', seconds(2))), 'c'],
  ['every other start', expression({ $not: [at('started_at', '$eq', seconds(2))] }), 'abdefgh'],
  [
    'an end, which running calls do not have',
    expression(at('ended_at', '$gte', seconds(57))),
    'abcd',
  ],
  [
    'no such end, which running calls do not have either',
    expression({ $not: [at('ended_at', '$gte', seconds(57))] }),
    'efg',
  ],
  ['running calls', expression(at('ended_at', '$eq', null)), 'h'],
  ['calls that have ended', expression({ $not: [at('ended_at', '$eq', null)] }), 'abcdefg'],
  [
    'a window',
    expression({
      $and: [
        at('started_at', '$gte', seconds(1)),
        { $not: [at('started_at', '$gte', seconds(4))] },
      ],
    }),
    'bcd',
  ],
  [
    'either of two windows',
    expression({ $or: [at('started_at', '$lt', seconds(1)), at('ended_at', '$lt', seconds(55))] }),
    'ag',
  ],
  [
    'neither of two windows',
    expression({
      $not: [{ $or: [at('started_at', '$lt', seconds(1)), at('started_at', '$gt', seconds(1))] }],
    }),
    'b',
  ],
  [
    'a contradiction',
    expression({
      $and: [at('started_at', '$lt', seconds(1)), at('started_at', '$gt', seconds(1))],
    }),
    '',
  ],
  [
    'a literal on the left',
    expression({ $lt: [{ $literal: seconds(5) }, { $getField: 'started_at' }] }),
    'gh',
  ],
])('lists and counts %s', async (_what, body, ids) => {
  const project = await openFamily();
  expect((await listIds(project, body)).join('')).toBe(ids);
  expect(await countCalls(project, body)).toEqual({
    ...{ count: ids.length, has_more: false, total_storage_size_bytes: null },
  });
});

test.each<[string, object, string]>([
  ['start descending', { sort_by: [{ field: 'started_at', direction: 'desc' }] }, 'hgfedcba'],
  ['end, running calls last', { sort_by: [{ field: 'ended_at', direction: 'asc' }] }, 'gfedcbah'],
  [
    'end descending, running calls last',
    { sort_by: [{ field: 'ended_at', direction: 'desc' }] },
    'abcdefgh',
  ],
])('orders by %s, and pages are parts of this order', async (_what, body, ids) => {
  const project = await openFamily();
  expect((await listIds(project, body)).join('')).toBe(ids);
  for (const [offset, limit] of [
    [0, 2],
    [2, 4],
    [6, 5],
    [8, 1],
    [0, 0],
  ] as const) {
    const page = await listIds(project, { ...body, offset, limit });
    expect(page.join('')).toBe(ids.slice(offset, offset + limit));
  }
});

test('a count ends at its limit and says so', async () => {
  const project = await openFamily();
  const total_storage_size_bytes = null;
  const count = (limit: number) => countCalls(project, { limit });
  expect(await count(8)).toEqual({ count: 8, has_more: true, total_storage_size_bytes });
  expect(await count(9)).toEqual({ count: 8, has_more: false, total_storage_size_bytes });
  expect(await count(3)).toEqual({ count: 3, has_more: true, total_storage_size_bytes });
});

test('start and end of a call are one object, whose JSON is what was stored', async () => {
  const project = client.newProject();
  const usage = { m: { prompt_tokens: 3, completion_tokens: 1, requests: 1 } };
  const start = { ...times, op_name: 'weave:///team/project/op/ask:v1' };
  await project.upsertBatch(
    project.endItem({ id: 'a' }, { ended_at: minute(1), summary: { usage, z: 1, a: 2 ** 53 } }),
    project.startItem({ id: 'a', trace: 't' }, { ...start, attributes: { weave: { x: '\n' } } }),
  );
  expect(await listCalls(project, { include_feedback: true })).toEqual([
    {
      id: 'a',
      project_id: project.id,
      op_name: start.op_name,
      display_name: null,
      trace_id: 't',
      parent_id: null,
      thread_id: null,
      turn_id: null,
      started_at: '2026-03-01T10:00:00.123456Z',
      ended_at: '2026-03-01T10:01:00.000000Z',
      attributes: { weave: { x: '\n' } },
      inputs: {},
      output: null,
      exception: null,
      summary: {
        usage,
        z: 1,
        a: 2 ** 53,
        weave: { status: 'success', trace_name: 'ask', latency_ms: 59_877, feedback: [] },
      },
      wb_user_id: null,
      wb_run_id: null,
      wb_run_step: null,
      wb_run_step_end: null,
      deleted_at: null,
    },
  ]);
});

const times = { started_at: '2026-03-01T10:00:00.123456Z' };

test('one call is read by its id; unknown and deleted calls are null', async () => {
  const project = await openFamily();
  const read = async (id: string): Promise<unknown> => {
    const body = { project_id: project.id, id };
    const answer = await client.service.send('/call/read', { body });
    expect(answer.status, answer.text).toBe(200);
    return answer.json();
  };
  const [listed] = await listCalls(project, { filter: { call_ids: ['b'] } });
  expect(await read('b')).toEqual({ call: listed });
  expect([await read('x'), await read('?')]).toEqual([{ call: null }, { call: null }]);
});

test('the status of a call is that of its end, its exception and its descendants', async () => {
  const project = client.newProject();
  const call = (id: string, more: object) => project.completeCall({ id }, more);
  const batch = [
    call('a', { summary: { status_counts: { error: 1, success: 2 } } }),
    call('b', { exception: 'no' }),
    call('c', { summary: { weave: { status: 'mine', other: 1, costs: {} } } }),
  ];
  await client.service.send(`/v2/${project.id}/calls/complete`, { body: { batch } });
  await project.upsertBatch(project.startItem({ id: 'd' }));
  const calls = await listCalls(project, {});
  const weave = Object.fromEntries(
    calls.map(({ id, summary }) => [id, (summary as { weave: object }).weave]),
  );
  expect(weave).toMatchObject({
    a: { status: 'descendant_error' },
    b: { status: 'error' },
    d: { status: 'running', latency_ms: null },
  });
  expect(weave['c']).toEqual({ other: 1, status: 'success', trace_name: 'op', latency_ms: 0 });
});

test('an end that came before its start without a trace belongs to its call', async () => {
  const project = client.newProject();
  await project.upsertBatch(project.endItem({ id: 'a' }, { ended_at: minute(1) }));
  await project.upsertBatch(project.startItem({ id: 'a', startedAt: minute(0) }));
  const [call] = await listCalls(project, {});
  expect(call).toMatchObject({ id: 'a', ended_at: '2026-03-01T10:01:00.000000Z' });
});

test('costs of such a call are those of its end, however often it is listed', async () => {
  const project = client.newProject();
  await project.setPrices({ m: { prompt_token_cost: 0.001, completion_token_cost: 0 } });
  const usage = { m: { prompt_tokens: 10, requests: 1 } };
  await project.upsertBatch(
    project.endItem({ id: 'a' }, { ended_at: minute(1), summary: { usage } }),
  );
  await project.upsertBatch(
    project.startItem({ id: 'a', startedAt: minute(0) }),
    project.startItem({ id: 'open', startedAt: minute(2) }),
  );
  for (const _ of ['repaired now', 'repaired before']) {
    const [call, open] = await listCalls(project, { include_costs: true });
    expect(call).toMatchObject({
      ended_at: '2026-03-01T10:01:00.000000Z',
      summary: { usage, weave: { costs: { m: { prompt_tokens: 10, total_cost: 0.01 } } } },
    });
    expect(open).toMatchObject({ ended_at: null, summary: { weave: { costs: {} } } });
  }
});

test('costs are those of the call itself, exact, and null without a price', async () => {
  const project = client.newProject();
  await project.setPrices({
    m: {
      ...{ prompt_token_cost: 0.001, completion_token_cost: 0.002 },
      ...{ cache_read_input_token_cost: 0.0001, effective_date: '2026-01-01' },
    },
  });
  const own = { prompt_tokens: 10, completion_tokens: 5, requests: 1, cache_read_input_tokens: 4 };
  const rolledUp = { prompt_tokens: 30, completion_tokens: 6, requests: 2 };
  const attributes = { weave: { source: 'js-sdk' } };
  const batch = [
    project.completeCall({ id: 'a', usage: { m: rolledUp }, startedAt: minute(0) }, { attributes }),
    project.completeCall(
      { id: 'b', parent: 'a', usage: { m: own }, startedAt: minute(1) },
      { attributes },
    ),
    project.completeCall({ id: 'c', parent: 'a', usage: { '?': own }, startedAt: minute(2) }),
    project.completeCall({ id: 'd', parent: 'a', startedAt: minute(3) }),
  ].map((call) => ({ ...call, ended_at: minute(5) }));
  const path = `/v2/${project.id}/calls/complete`;
  expect((await client.service.send(path, { body: { batch } })).text).toBe('{}');
  const calls = await listCalls(project, { include_costs: true, columns: ['summary'] });
  const costs = calls.map(({ summary }) => (summary as { weave: { costs: object } }).weave.costs);
  expect(costs).toMatchObject([
    {
      m: {
        ...{ requests: 1, prompt_tokens: 20, completion_tokens: 1, total_tokens: 21 },
        // Without what its SDK added of its child: the cached tokens of the parent are none.
        ...{ prompt_tokens_total_cost: 0.02, completion_tokens_total_cost: 0.002 },
      },
    },
    {
      m: {
        ...{ requests: 1, prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
        ...{ prompt_tokens_total_cost: 0.0064, completion_tokens_total_cost: 0.01 },
        ...{ total_cost: 0.0164, prompt_token_cost: 0.001, completion_token_cost: 0.002 },
        ...{
          pricing_level: 'project',
          llm_id: 'm',
          effective_date: expect.stringContaining('2026-01-01') as unknown,
        },
      },
    },
    { '?': { prompt_tokens: 10, prompt_tokens_total_cost: null, prompt_token_cost: null } },
    {},
  ]);
  expect(costs[3]).toEqual({});
  const [without] = await listCalls(project, { limit: 1 });
  expect((without?.['summary'] as { weave: object }).weave).not.toHaveProperty('costs');
});

test('columns choose what is answered beside what every client reads', async () => {
  const project = await openFamily();
  const [call] = await listCalls(project, { limit: 1, columns: ['summary.usage', 'display_name'] });
  expect(call).toEqual({
    id: 'a',
    project_id: project.id,
    op_name: 'weave:///team/project/op/ask:v1',
    display_name: 'Ask',
    trace_id: 't1',
    started_at: '2026-03-01T10:00:00.000000Z',
    attributes: {},
    inputs: {},
    summary: expect.objectContaining({ weave: expect.anything() as unknown }) as unknown,
  });
});

describe('with stored inputs and outputs', () => {
  const keeping = usageClientFixture({ PAYLOAD_RETENTION_DAYS: '30', QUERY_RESULT_MB: '1' });

  test('inputs, outputs and exceptions are answered as they were stored, however large they are together', async () => {
    const project = keeping.newProject();
    const inputs = { text: 'x'.repeat(300_000), n: 1.5 };
    const more = { inputs, output: ['y', null], exception: 'ValueError: no' };
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const [n, id] of ids.entries()) {
      const batch = [project.completeCall({ id, startedAt: minute(n) }, more)];
      const path = `/v2/${project.id}/calls/complete`;
      expect((await keeping.service.send(path, { body: { batch } })).text).toBe('{}');
    }
    const calls = await listCalls(project, {}, keeping);
    expect(calls.map(({ id }) => id)).toEqual(ids);
    for (const call of calls) expect(call).toMatchObject(more);
  });
});

describe('what is not supported', () => {
  const refuse = async (body: object): Promise<string[]> => {
    const answer = await client.service.send('/calls/stream_query', {
      body: { project_id: 'team/none', ...body },
    });
    expect(answer.status, answer.text).toBe(422);
    const { detail } = answer.json() as {
      detail: { loc: (string | number)[]; type: string; msg: string }[];
    };
    return detail.map(({ loc, type, msg }) => `${loc.join('.')} ${type}: ${msg}`);
  };
  const supported =
    'query_unsupported: The query cannot be answered: supported are $lt, $lte, $gt, $gte and $eq of ' +
    '[{"$getField": "started_at"}, {"$literal": TIME}], the same of ended_at, and $and, $or and $not of these';

  test.each<[string, object, string]>([
    ['another field', at('op_name', '$eq', 'x'), `body.query.$expr.$eq.0 ${supported}`],
    [
      'another operator',
      { $and: [{ $contains: {} }] },
      `body.query.$expr.$and.0.$contains ${supported}`,
    ],
    [
      'no literal',
      { $gt: [{ $getField: 'started_at' }, { $getField: 'ended_at' }] },
      `body.query.$expr.$gt.1 ${supported}`,
    ],
    [
      'a literal that is no time',
      at('started_at', '$gt', 'yesterday'),
      'body.query.$expr.$gt.1.$literal query_unsupported: The query cannot be answered: a time is a number of seconds since 1970, or text in ISO 8601, an existing day of the years 1900 to 2299',
    ],
  ])('a query with %s', async (_what, $expr, issue) => {
    expect(await refuse({ query: { $expr } })).toEqual([issue]);
  });

  test.each(['constructor', 'toString', '__proto__'])(
    'a query with an operator named %s',
    async (operator) => {
      const operands = [{ $getField: 'started_at' }, { $literal: 0 }];
      const $expr = Object.fromEntries([[operator, operands]]);
      expect(await refuse({ query: { $expr } })).toEqual([
        `body.query.$expr.${operator} ${supported}`,
      ]);
    },
  );

  test('a query of too many alternatives, also if later conditions leave few of them', async () => {
    const anyOf = (alternatives: object[]): object => ({ $or: alternatives });
    const early = Array.from({ length: 100 }, () => at('started_at', '$gte', 0));
    const ended = Array.from({ length: 100 }, () => at('ended_at', '$gte', 0));
    const never = at('ended_at', '$lt', 0);
    const $expr = { $and: [anyOf(early), anyOf(ended), anyOf([never, never]), never] };
    expect(await refuse({ query: { $expr } })).toEqual([
      'body.query.$expr.$and query_unsupported: The query cannot be answered: it has more than 100 alternatives',
    ]);
  });

  test('names the fields that are not', async () => {
    const body = {
      filter: { input_refs: ['weave:///x'] },
      sort_by: [{ field: 'inputs.x', direction: 'asc' }],
      include_storage_size: true,
      expand_columns: ['inputs.x'],
    };
    expect((await refuse(body)).map((issue) => issue.split(' ')[0]).sort()).toEqual([
      'body.expand_columns',
      'body.filter.input_refs',
      'body.include_storage_size',
      'body.sort_by.0.field',
    ]);
  });

  test('a filter, a query and a request with a field that does not exist', async () => {
    const body = {
      fliter: {},
      filter: { op_name: ['x'] },
      query: { $expr: at('started_at', '$gt', 0), expr: {} },
    };
    const issue = 'extra_forbidden: Extra inputs are not permitted';
    const fields = ['body.filter.op_name', 'body.fliter', 'body.query.expr'];
    expect((await refuse(body)).sort()).toEqual(fields.map((field) => `${field} ${issue}`));
    const counted = await client.service.send('/calls/query_stats', {
      body: { project_id: 'team/none', ...body },
    });
    expect([
      counted.status,
      ...fields.filter((field) => !counted.text.includes(field.split('.').at(-1)!)),
    ]).toEqual([422]);
  });

  test('nothing that an SDK sends with every request', async () => {
    const { status, text } = await client.service.send('/calls/stream_query', {
      body: {
        ...{ project_id: 'team/none', filter: null, query: null, latest_only: false },
        ...{ include_usernames: false, return_expanded_column_values: true },
      },
    });
    expect([status, text]).toEqual([200, '']);
  });
});
