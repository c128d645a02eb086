import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../../support/fixtures.ts';
import type { TestAnswer, TestRequest } from '../../support/http/service.ts';

const client = usageClientFixture();
const send = (path: string, request?: TestRequest): Promise<TestAnswer> =>
  client.service.send(path, request);

const time = '2026-01-31T12:00:00.5Z';

function startOf(id: string, more: object = {}) {
  return {
    project_id: 'team/one',
    id,
    trace_id: `trace-${id}`,
    op_name: 'op',
    started_at: time,
    attributes: {},
    inputs: {},
    ...more,
  };
}

function endOf(id: string, usage: object = { m: { prompt_tokens: 3, completion_tokens: 4 } }) {
  return { project_id: 'team/one', id, ended_at: time, summary: { usage } };
}

const startItem = (id: string, more?: object) => ({
  mode: 'start',
  req: { start: startOf(id, more) },
});
const endItem = (id: string) => ({ mode: 'end', req: { end: endOf(id) } });
const completeCall = (id: string, more: object = {}) => ({ ...startOf(id), ...endOf(id), ...more });

/** `call_usage` of POST /calls/usage. */
async function queryUsage(...call_ids: string[]): Promise<Record<string, unknown>> {
  const answer = await send('/calls/usage', { body: { project_id: 'team/one', call_ids } });
  expect(answer.status, answer.text).toBe(200);
  return (answer.json() as { call_usage: Record<string, unknown> }).call_usage;
}

const expectedUsage = {
  m: expect.objectContaining({
    prompt_tokens: 3,
    completion_tokens: 4,
    total_tokens: 7,
  }) as unknown,
};

describe.each(['', '/v2/team/one'])('%s/call/start and /call/end', (prefix) => {
  test('a call whose start and end were answered with 200 is counted', async () => {
    const id = `single-${prefix}`;
    const started = await send(`${prefix}/call/start`, { body: { start: startOf(id) } });
    const ended = await send(`${prefix}/call/end`, { body: { end: endOf(id) } });

    expect(started.json()).toEqual({ id, trace_id: `trace-${id}` });
    expect(ended.json()).toEqual({});
    expect(await queryUsage(id)).toEqual({ [id]: expectedUsage });
  });

  test('a start without ids gets generated ones', async () => {
    const start = startOf('x', { id: null, trace_id: undefined });
    const answer = await send(`${prefix}/call/start`, { body: { start } });
    expect(answer.json()).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      trace_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });
});

test('a project in the body that differs from the project in the path is refused', async () => {
  const other = { project_id: 'team/other' };
  const started = await send('/v2/team/one/call/start', {
    body: { start: startOf('other-project', other) },
  });
  const ended = await send('/v2/team/one/call/end', {
    body: { end: { ...endOf('other-project'), ...other } },
  });

  for (const [answer, kind] of [
    [started, 'start'],
    [ended, 'end'],
  ] as const) {
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({
      detail: [{ loc: ['body', kind, 'project_id'], type: 'value_error' }],
    });
  }
});

describe('/call/upsert_batch', () => {
  test('answers each item, in order', async () => {
    const batch = [endItem('b1'), startItem('b1'), startItem('b2'), endItem('b2')];
    const answer = await send('/call/upsert_batch', { body: { batch } });

    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      res: [{}, { id: 'b1', trace_id: 'trace-b1' }, { id: 'b2', trace_id: 'trace-b2' }, {}],
    });
    expect(await queryUsage('b1', 'b2')).toEqual({ b1: expectedUsage, b2: expectedUsage });
  });

  test('reports and drops invalid items and stores the others', async () => {
    const logged = client.service.logLines().length;
    const batch = [
      startItem('d1', { project_id: 5, started_at: '2026-02-30T00:00:00Z' }),
      startItem('d2'),
      'nonsense',
      { mode: 'stop', req: {} },
      endItem('d2'),
      { mode: 'end' },
    ];
    const answer = await send('/call/upsert_batch', { body: { batch } });

    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      res: [{}, { id: 'd2', trace_id: 'trace-d2' }, {}, {}, {}, {}],
      num_dropped: 4,
      dropped: [
        {
          index: 0,
          detail: [
            { loc: ['body', 'batch', 0, 'req', 'start', 'project_id'], type: 'string_type' },
            { loc: ['body', 'batch', 0, 'req', 'start', 'started_at'], type: 'datetime_parsing' },
          ],
        },
        { index: 2, detail: [{ loc: ['body', 'batch', 2], type: 'model_attributes_type' }] },
        { index: 3, detail: [{ loc: ['body', 'batch', 3, 'mode'], type: 'literal_error' }] },
        { index: 5, detail: [{ loc: ['body', 'batch', 5, 'req'], type: 'missing' }] },
      ],
    });
    expect(await queryUsage('d2')).toEqual({ d2: expectedUsage });
    const warnings = client.service
      .logLines()
      .slice(logged)
      .filter(({ level }) => level === 40);
    expect(warnings).toMatchObject([
      { dropped: 4, items: 6, key: 'key-1', request_id: answer.headers.get('x-request-id') },
    ]);
  });

  test('answers an empty batch with an empty list', async () => {
    const answer = await send('/call/upsert_batch', { body: { batch: [] } });
    expect(answer.json()).toEqual({ res: [] });
  });

  test('refuses a body without a batch', async () => {
    for (const body of [{}, { batch: null }, { batch: {} }]) {
      expect((await send('/call/upsert_batch', { body })).status).toBe(422);
    }
  });
});

describe('/v2/{entity}/{project}/calls/complete', () => {
  const sendBatch = (batch: unknown[]) => send('/v2/team/one/calls/complete', { body: { batch } });

  test('complete calls are counted', async () => {
    const answer = await sendBatch([completeCall('w1'), completeCall('w2')]);
    expect(answer.json()).toEqual({});
    expect(await queryUsage('w1', 'w2')).toEqual({ w1: expectedUsage, w2: expectedUsage });
  });

  test('reports and drops calls of another project and stores the others', async () => {
    const answer = await sendBatch([
      completeCall('w3', { project_id: 'team/two' }),
      completeCall('w4'),
    ]);

    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      num_dropped: 1,
      dropped: [
        {
          index: 0,
          detail: [{ loc: ['body', 'batch', 0, 'project_id'], type: 'value_error' }],
        },
      ],
    });
    expect(await queryUsage('w3', 'w4')).toEqual({ w3: {}, w4: expectedUsage });
  });
});

test('/calls/delete answers the number of deleted calls, whose usage is no longer counted', async () => {
  const batch = [completeCall('p'), completeCall('c', { parent_id: 'p', trace_id: 'trace-p' })];
  await send('/v2/team/one/calls/complete', { body: { batch } });

  const body = { project_id: 'team/one', call_ids: ['p', 'unknown'] };
  const answer = await send('/calls/delete', { body });

  expect(answer.json()).toEqual({ num_deleted: 2 });
  expect(await queryUsage('p', 'c')).toEqual({ p: {}, c: {} });
});

test('prices that /cost/create answered with 200 are applied', async () => {
  await send('/v2/team/one/calls/complete', { body: { batch: [completeCall('priced')] } });
  const price = { prompt_token_cost: 0.005, completion_token_cost: 0.002, effective_date: time };
  const answer = await send('/cost/create', {
    body: { project_id: 'team/one', costs: { m: price, ['__proto__']: price } },
  });

  expect(answer.status, answer.text).toBe(200);
  expect(answer.json()).toEqual({
    ids: [
      [expect.any(String), 'm'],
      [expect.any(String), '__proto__'],
    ],
  });
  const usageAnswer = await send('/calls/usage', {
    body: { project_id: 'team/one', call_ids: ['priced'], include_costs: true },
  });
  // 3 prompt tokens at 0.005 and 4 completion tokens at 0.002.
  expect(usageAnswer.json()).toMatchObject({
    call_usage: {
      priced: {
        m: { prompt_tokens_total_cost: 3 * 0.005, completion_tokens_total_cost: 4 * 0.002 },
      },
    },
  });
});

describe('names with special characters are stored unchanged', () => {
  const names = [
    '__proto__',
    'constructor',
    'toString',
    "'); DROP TABLE call_parts; --",
    '"double" and `back`',
    'back\\slash\\',
    'a\u0000b',
    'tab\tline\nreturn\r',
    '{id: String}',
    '$1 ?',
    '\ufeff\u202e\u{1f600}',
    'é',
    'e\u0301',
    ' ',
  ];

  test.each(names)(
    '%j is stored unchanged as call id, trace id, op name and model',
    async (name) => {
      const usage = JSON.parse(`{${JSON.stringify(name)}:{"prompt_tokens":3}}`) as object;
      const call = {
        ...startOf(name, { trace_id: name, op_name: name, display_name: name, exception: name }),
        ...endOf(name, usage),
      };
      const batch = [call];
      const answer = await send('/v2/team/one/calls/complete', { body: { batch } });
      expect(answer.text).toBe('{}');

      const usageAnswer = await send('/calls/usage', {
        body: { project_id: 'team/one', call_ids: [name] },
      });
      expect(usageAnswer.status, usageAnswer.text).toBe(200);
      const { call_usage } = usageAnswer.json() as {
        call_usage: Record<string, Record<string, unknown>>;
      };
      expect(Object.keys(call_usage)).toEqual([name]);
      const [models] = Object.values(call_usage);
      expect(Object.keys(models ?? {})).toEqual([name]);
      expect(Object.values(models ?? {})).toMatchObject([{ prompt_tokens: 3 }]);
    },
  );

  test.each(names)('%j is accepted in a project id', async (name) => {
    const call = { ...completeCall('in-project'), project_id: `team/${name}` };
    const item = { mode: 'start', req: { start: call } };
    const answer = await send('/call/upsert_batch', { body: { batch: [item] } });
    expect(answer.json()).toEqual({ res: [{ id: 'in-project', trace_id: 'trace-in-project' }] });
  });
});
