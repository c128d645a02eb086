import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestClickHouse, type TestClickHouse } from '../../support/clickhouse.ts';
import { openService, type TestService } from '../../support/service.ts';

let clickhouse: TestClickHouse;
let service: TestService;
beforeAll(async () => {
  clickhouse = await openTestClickHouse();
  service = await openService(clickhouse.environment);
  await service.ready;
});
afterAll(async () => {
  await service.close();
  await clickhouse.close();
});

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
const wholeCall = (id: string, more: object = {}) => ({ ...startOf(id), ...endOf(id), ...more });

/** What POST /calls/usage says of calls. */
async function usageOf(...call_ids: string[]): Promise<Record<string, unknown>> {
  const answer = await service.send('/calls/usage', { body: { project_id: 'team/one', call_ids } });
  expect(answer.status, answer.text).toBe(200);
  return (answer.json() as { call_usage: Record<string, unknown> }).call_usage;
}

const spent = {
  m: expect.objectContaining({
    prompt_tokens: 3,
    completion_tokens: 4,
    total_tokens: 7,
  }) as unknown,
};

test('a health check of a service that can answer is 200', async () => {
  const answer = await service.send('/health', { key: null });
  expect(answer.status).toBe(200);
  expect(answer.json()).toEqual({ status: 'ok' });
});

describe.each(['', '/v2/team/one'])('%s/call/start and /call/end', (prefix) => {
  test('what was answered with 200 is counted', async () => {
    const id = `single-${prefix}`;
    const started = await service.send(`${prefix}/call/start`, { body: { start: startOf(id) } });
    const ended = await service.send(`${prefix}/call/end`, { body: { end: endOf(id) } });

    expect(started.json()).toEqual({ id, trace_id: `trace-${id}` });
    expect(ended.json()).toEqual({});
    expect(await usageOf(id)).toEqual({ [id]: spent });
  });

  test('a start without ids is given some', async () => {
    const start = startOf('x', { id: null, trace_id: undefined });
    const answer = await service.send(`${prefix}/call/start`, { body: { start } });
    expect(answer.json()).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      trace_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });
});

test('a project in the body that is not the path’s is refused', async () => {
  const other = { project_id: 'team/other' };
  const started = await service.send('/v2/team/one/call/start', {
    body: { start: startOf('elsewhere', other) },
  });
  const ended = await service.send('/v2/team/one/call/end', {
    body: { end: { ...endOf('elsewhere'), ...other } },
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
  test('every item has its answer, in order', async () => {
    const batch = [endItem('b1'), startItem('b1'), startItem('b2'), endItem('b2')];
    const answer = await service.send('/call/upsert_batch', { body: { batch } });

    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({
      res: [{}, { id: 'b1', trace_id: 'trace-b1' }, { id: 'b2', trace_id: 'trace-b2' }, {}],
    });
    expect(await usageOf('b1', 'b2')).toEqual({ b1: spent, b2: spent });
  });

  test('items that can never be stored are dropped and told, the others stored', async () => {
    const logged = service.logLines().length;
    const batch = [
      startItem('d1', { project_id: 5, started_at: '2026-02-30T00:00:00Z' }),
      startItem('d2'),
      'nonsense',
      { mode: 'stop', req: {} },
      endItem('d2'),
      { mode: 'end' },
    ];
    const answer = await service.send('/call/upsert_batch', { body: { batch } });

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
    expect(await usageOf('d2')).toEqual({ d2: spent });
    const warnings = service
      .logLines()
      .slice(logged)
      .filter(({ level }) => level === 40);
    expect(warnings).toMatchObject([
      { dropped: 4, items: 6, key: 'key-1', request_id: answer.headers.get('x-request-id') },
    ]);
  });

  test('a batch of nothing is stored at once', async () => {
    const answer = await service.send('/call/upsert_batch', { body: { batch: [] } });
    expect(answer.json()).toEqual({ res: [] });
  });

  test('a body that is no batch is refused', async () => {
    for (const body of [{}, { batch: null }, { batch: {} }]) {
      expect((await service.send('/call/upsert_batch', { body })).status).toBe(422);
    }
  });
});

describe('/v2/{entity}/{project}/calls/complete', () => {
  const send = (batch: unknown[]) =>
    service.send('/v2/team/one/calls/complete', { body: { batch } });

  test('whole calls are counted', async () => {
    const answer = await send([wholeCall('w1'), wholeCall('w2')]);
    expect(answer.json()).toEqual({});
    expect(await usageOf('w1', 'w2')).toEqual({ w1: spent, w2: spent });
  });

  test('calls of another project are dropped and told, the others stored', async () => {
    const answer = await send([wholeCall('w3', { project_id: 'team/two' }), wholeCall('w4')]);

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
    expect(await usageOf('w3', 'w4')).toEqual({ w3: {}, w4: spent });
  });
});

test('deleting tells how many calls are gone, and their usage is', async () => {
  const batch = [wholeCall('p'), wholeCall('c', { parent_id: 'p', trace_id: 'trace-p' })];
  await service.send('/v2/team/one/calls/complete', { body: { batch } });

  const body = { project_id: 'team/one', call_ids: ['p', 'unknown'] };
  const answer = await service.send('/calls/delete', { body });

  expect(answer.json()).toEqual({ num_deleted: 2 });
  expect(await usageOf('p', 'c')).toEqual({ p: {}, c: {} });
});

test('prices that were answered with 200 are charged', async () => {
  await service.send('/v2/team/one/calls/complete', { body: { batch: [wholeCall('priced')] } });
  const price = { prompt_token_cost: 0.5, completion_token_cost: 2, effective_date: time };
  const answer = await service.send('/cost/create', {
    body: { project_id: 'team/one', costs: { m: price, ['__proto__']: price } },
  });

  expect(answer.status, answer.text).toBe(200);
  expect(answer.json()).toEqual({
    ids: [
      [expect.any(String), 'm'],
      [expect.any(String), '__proto__'],
    ],
  });
  const asked = await service.send('/calls/usage', {
    body: { project_id: 'team/one', call_ids: ['priced'], include_costs: true },
  });
  // 3 prompt tokens at 0.5 and 4 completion tokens at 2.
  expect(asked.json()).toMatchObject({
    call_usage: {
      priced: { m: { prompt_tokens_total_cost: 1.5, completion_tokens_total_cost: 8 } },
    },
  });
});

describe('names that try to be something else are only names', () => {
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

  test.each(names)('%j as id, trace, op and model', async (name) => {
    const usage = JSON.parse(`{${JSON.stringify(name)}:{"prompt_tokens":3}}`) as object;
    const call = {
      ...startOf(name, { trace_id: name, op_name: name, display_name: name, exception: name }),
      ...endOf(name, usage),
    };
    const batch = [call];
    const answer = await service.send('/v2/team/one/calls/complete', { body: { batch } });
    expect(answer.text).toBe('{}');

    const asked = await service.send('/calls/usage', {
      body: { project_id: 'team/one', call_ids: [name] },
    });
    expect(asked.status, asked.text).toBe(200);
    const { call_usage } = asked.json() as { call_usage: Record<string, Record<string, unknown>> };
    expect(Object.keys(call_usage)).toEqual([name]);
    const [models] = Object.values(call_usage);
    expect(Object.keys(models ?? {})).toEqual([name]);
    expect(Object.values(models ?? {})).toMatchObject([{ prompt_tokens: 3 }]);
  });

  test.each(names)('%j as project', async (name) => {
    const call = { ...wholeCall('in-project'), project_id: `team/${name}` };
    const item = { mode: 'start', req: { start: call } };
    const answer = await service.send('/call/upsert_batch', { body: { batch: [item] } });
    expect(answer.json()).toEqual({ res: [{ id: 'in-project', trace_id: 'trace-in-project' }] });
  });
});
