import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import { completeRow, endRow } from '../support/rows/part-rows.ts';

const usageClient = usageClientFixture({ PAYLOAD_RETENTION_DAYS: '1' });

/** Every kind of JSON value. */
const anyJson = {
  text: 'é\u{1f600}\0"\\',
  numbers: [0, -1, 1.5, 1e300, 12345678901234567890, 0.0012345678901234567],
  nothing: null,
  yes: true,
  'a name with "quotes"': { ['__proto__ ']: [[], {}, [{ deep: [1, [2, [3]]] }]] },
  '': '',
};

const startFields = {
  project_id: 'team/rows',
  trace_id: 'the trace',
  parent_id: 'the parent',
  op_name: 'weave:///team/rows/op/chat:v1',
  display_name: 'a name\nof two lines',
  started_at: '2026-01-31T23:59:59.123456+01:00',
  attributes: { weave: { source: 'js-sdk', other: 1 }, ...anyJson },
  inputs: { messages: [{ role: 'user', content: 'hello' }], ...anyJson },
  thread_id: 'the thread',
  turn_id: 'the turn',
  otel_dump: { name: 'span', ...anyJson },
  wb_user_id: 'somebody',
  wb_run_id: 'a run',
  wb_run_step: 9007199254740991,
};

const endFields = {
  project_id: 'team/rows',
  ended_at: '2026-02-01T00:00:00Z',
  summary: {
    usage: { m: { prompt_tokens: 3, unknown_tokens: 4, details: anyJson } },
    status_counts: { success: 1 },
    ...anyJson,
  },
  output: { id: 'response-é', service_tier: 'flex', choices: [anyJson, null] },
  exception: 'Error: nothing\n    at line 1',
  wb_run_step_end: -9007199254740991,
};

/** The columns of a start. */
const startColumns = {
  parent_id: 'the parent',
  op_name: 'weave:///team/rows/op/chat:v1',
  display_name: 'a name\nof two lines',
  // It was sent with the offset +01:00.
  started_at: '2026-01-31 22:59:59.123456',
  /** Rolled up, as its attributes say. */
  usage_mode: 1,
  attributes_dump: startFields.attributes,
  inputs_dump: startFields.inputs,
  thread_id: 'the thread',
  turn_id: 'the turn',
  otel_dump: startFields.otel_dump,
  wb_user_id: 'somebody',
  wb_run_id: 'a run',
  wb_run_step: '9007199254740991',
};

/** The columns of an end. */
const endColumns = {
  ended_at: '2026-02-01 00:00:00.000000',
  summary_dump: endFields.summary,
  output_dump: endFields.output,
  output_id: 'response-é',
  output_service_tier: 'flex',
  exception: 'Error: nothing\n    at line 1',
  has_exception: 1,
  wb_run_step_end: '-9007199254740991',
};

/** The columns for which nothing was sent. */
const emptyColumns = {
  parent_id: '',
  op_name: '',
  display_name: '',
  started_at: null,
  ended_at: null,
  attributes_dump: {},
  usage_mode: 0,
  span_kind: 0,
  scope: '0',
  span_attributes: '',
  inputs_dump: {},
  output_dump: null,
  output_id: '',
  output_service_tier: '',
  summary_dump: {},
  exception: '',
  has_exception: 0,
  thread_id: '',
  turn_id: '',
  otel_dump: '',
  wb_user_id: '',
  wb_run_id: '',
  wb_run_step: null,
  wb_run_step_end: null,
};

/** Reads the rows of a call in `call_parts`, and parses their JSON. */
async function readRows(id: string): Promise<Record<string, unknown>[]> {
  const rows = await usageClient.clickhouse.query<Record<string, string>>(
    'SELECT * EXCEPT (part_hash) FROM call_parts WHERE id = {id: String} ORDER BY kind',
    { id },
  );
  return rows.map(({ inserted_at, ...row }) => {
    expect(inserted_at).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
    const columns = Object.entries(row).map(([name, value]) => [
      name,
      name.endsWith('_dump') && value !== '' ? (JSON.parse(value) as unknown) : value,
    ]);
    return Object.fromEntries(columns) as Record<string, unknown>;
  });
}

/** The endpoints that accept each kind of part, and the body of a request with one part. */
const endpoints = {
  start: [
    ['/call/start', (start: object) => ({ start })],
    ['/v2/team/rows/call/start', (start: object) => ({ start })],
    ['/call/upsert_batch', (start: object) => ({ batch: [{ mode: 'start', req: { start } }] })],
  ],
  end: [
    ['/call/end', (end: object) => ({ end })],
    ['/v2/team/rows/call/end', (end: object) => ({ end })],
    ['/call/upsert_batch', (end: object) => ({ batch: [{ mode: 'end', req: { end } }] })],
  ],
  whole: [['/v2/team/rows/calls/complete', (call: object) => ({ batch: [call] })]],
} as const;

const fieldsOf = {
  start: startFields,
  end: { ...endFields, trace_id: 'the trace', started_at: '2026-01-31T12:00:00Z' },
  whole: { ...startFields, ...endFields },
};
const columnsOf = {
  start: { ...emptyColumns, ...startColumns },
  end: { ...emptyColumns, ...endColumns, started_at: '2026-01-31 12:00:00.000000' },
  whole: { ...emptyColumns, ...startColumns, ...endColumns },
};
const requiredOf = {
  start: ['project_id', 'id', 'trace_id', 'op_name', 'started_at', 'attributes', 'inputs'],
  end: ['project_id', 'id', 'trace_id', 'ended_at', 'summary'],
  whole: [
    ...['project_id', 'id', 'trace_id', 'op_name', 'started_at', 'ended_at', 'attributes'],
    ...['inputs', 'summary'],
  ],
};

const kinds = ['start', 'end', 'whole'] as const;
const cases = kinds.flatMap((kind) =>
  endpoints[kind].map(([path, wrap]) => ({ kind, path, wrap, id: `${kind} by ${path}` })),
);

describe.each(cases)('the row of a part of kind $kind by $path', ({ kind, path, wrap, id }) => {
  const send = async (part: object): Promise<void> => {
    const answer = await usageClient.service.send(path, { body: wrap(part) });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).not.toContain('dropped');
  };
  const keys = (callId: string) => ({
    project_id: 'team/rows',
    id: callId,
    kind,
    trace_id: 'the trace',
  });

  test('contains every field that was sent', async () => {
    await send({ ...fieldsOf[kind], id });
    expect(await readRows(id)).toEqual([{ ...keys(id), ...columnsOf[kind] }]);
  });

  test('contains nothing else: unknown fields are ignored, except within free-form JSON', async () => {
    const unknown = { unknown: 1, kind: 'deletion', inserted_at: '2000-01-01', usage: [], '': {} };
    const body = { ...wrap({ ...fieldsOf[kind], ...unknown, id: `${id}, unknown` }), ...unknown };
    const answer = await usageClient.service.send(path, { body });
    expect(answer.status, answer.text).toBe(200);
    expect(await readRows(`${id}, unknown`)).toEqual([
      { ...keys(`${id}, unknown`), ...columnsOf[kind] },
    ]);
  });

  test.each([
    ['missing', undefined],
    ['null', null],
  ])('contains a default if an optional field is %s', async (what, value) => {
    const required = Object.entries(fieldsOf[kind]).map(([name, field]) =>
      requiredOf[kind].includes(name) ? [name, field] : [name, value],
    );
    const callId = `${id}, ${what}`;
    await send({ ...(Object.fromEntries(required) as object), id: callId });
    const kept = {
      start: ['op_name', 'started_at', 'attributes_dump', 'usage_mode', 'inputs_dump'],
      end: ['ended_at', 'summary_dump'],
      whole: [
        ...['op_name', 'started_at', 'attributes_dump', 'usage_mode', 'inputs_dump', 'ended_at'],
        'summary_dump',
      ],
    }[kind];
    const columns = Object.entries(columnsOf[kind]).filter(([name]) => kept.includes(name));
    expect(await readRows(callId)).toEqual([
      { ...keys(callId), ...emptyColumns, ...Object.fromEntries(columns) },
    ]);
  });
});

describe('without PAYLOAD_RETENTION_DAYS', () => {
  const client = usageClientFixture();

  test.each(kinds)('the row of a part of kind %s contains no payload', async (kind) => {
    const [[path, wrap]] = endpoints[kind];
    const part = { ...fieldsOf[kind], id: `no payload: ${kind}` };
    const answer = await client.service.send(path, { body: wrap(part) });
    expect(answer.status, answer.text).toBe(200);
    const rows = await client.clickhouse.query(
      `SELECT inputs_dump, output_dump, exception, otel_dump, has_payload, output_id, output_service_tier,
        has_exception FROM call_parts WHERE id = {id: String}`,
      { id: part.id },
    );
    const { output_id, output_service_tier, has_exception } = columnsOf[kind];
    const erased = { inputs_dump: '{}', output_dump: 'null', exception: '', otel_dump: '' };
    expect(rows).toEqual([
      { ...erased, has_payload: 0, output_id, output_service_tier, has_exception },
    ]);
  });
});

describe('the id and the service tier of an output', () => {
  const longest = 'é'.repeat(128);
  const cases: [unknown, string][] = [
    ['x', 'x'],
    [longest, longest],
    [`${longest}x`, ''],
    ['', ''],
    [5, ''],
    [null, ''],
    [true, ''],
    [['x'], ''],
    [{ id: 'x' }, ''],
  ];

  test.each(cases)(
    'are stored where they are text of up to 256 bytes, by the service and by a pipeline: %j',
    async (value, expected) => {
      const id = `output id ${JSON.stringify(value)}`;
      const output = { id: value, service_tier: value, other: { id: 'y' } };
      await usageClient.service.send('/call/end', { body: { end: { ...endFields, id, output } } });
      const row = endRow('team/pipeline', { id }, { output_dump: JSON.stringify(output) });
      await usageClient.clickhouse.insert('call_parts', [row]);
      const stored = { output_id: expected, output_service_tier: expected };
      expect(await readRows(id)).toMatchObject([stored, stored]);
    },
  );

  test.each([[[{ id: 'x' }]], ['x'], [5], [null]])(
    'are empty for the output %j',
    async (output) => {
      const id = `no output id ${JSON.stringify(output)}`;
      await usageClient.service.send('/call/end', { body: { end: { ...endFields, id, output } } });
      const row = endRow('team/pipeline', { id }, { output_dump: JSON.stringify(output) });
      await usageClient.clickhouse.insert('call_parts', [row]);
      const stored = { output_id: '', output_service_tier: '' };
      expect(await readRows(id)).toMatchObject([stored, stored]);
    },
  );
});

describe('generated ids', () => {
  test.each(['/call/start', '/v2/team/rows/call/start'])('are stored, by %s', async (path) => {
    const start = { ...startFields, id: null, trace_id: null };
    const answer = await usageClient.service.send(path, { body: { start } });
    const generated = answer.json() as { id: string; trace_id: string };
    expect(await readRows(generated.id)).toMatchObject([{ ...generated, kind: 'start' }]);
  });

  test('differ for each start of a batch', async () => {
    const item = { mode: 'start', req: { start: { ...startFields, id: null, trace_id: null } } };
    const answer = await usageClient.service.send('/call/upsert_batch', {
      body: { batch: [item, item] },
    });
    const { res } = answer.json() as { res: { id: string; trace_id: string }[] };
    expect(new Set(res.flatMap(({ id, trace_id }) => [id, trace_id])).size).toBe(4);
    for (const ids of res) expect(await readRows(ids.id)).toMatchObject([ids]);
  });
});

test.each([['text'], [5], [0], [false], [[1, { a: null }]], [{}], ['']])(
  'an output may be any JSON: %j',
  async (output) => {
    const id = `output ${JSON.stringify(output)}`;
    await usageClient.service.send('/call/end', { body: { end: { ...endFields, id, output } } });
    expect(await readRows(id)).toMatchObject([{ output_dump: output }]);
  },
);

test('an end without a trace id gets that of its start if the start is stored', async () => {
  const end = { ...endFields, id: 'traced' };
  await usageClient.service.send('/call/end', { body: { end: { ...end, output: 'before' } } });
  await usageClient.service.send('/call/start', {
    body: { start: { ...startFields, id: 'traced' } },
  });
  await usageClient.service.send('/call/end', { body: { end: { ...end, output: 'after' } } });
  const rows = await readRows('traced');
  expect(rows.map(({ kind, trace_id, output_dump }) => [kind, trace_id, output_dump])).toEqual(
    expect.arrayContaining([
      ['start', 'the trace', null],
      ['end', '', 'before'],
      ['end', 'the trace', 'after'],
    ]),
  );
});

test.each([
  ['before', true],
  ['after', false],
])(
  'an end without a trace id gets that of a start %s it in the batch',
  async (place, isStartFirst) => {
    const id = `start ${place} end`;
    const items = [
      { mode: 'end', req: { end: { ...endFields, id } } },
      { mode: 'start', req: { start: { ...startFields, id } } },
    ];
    const batch = isStartFirst ? items.reverse() : items;
    const answer = await usageClient.service.send('/call/upsert_batch', { body: { batch } });
    expect(answer.status, answer.text).toBe(200);
    const rows = await readRows(id);
    expect(rows.map(({ kind, trace_id }) => [kind, trace_id])).toEqual([
      ['start', 'the trace'],
      ['end', 'the trace'],
    ]);
  },
);

test('the usage mode of a call is the one that ClickHouse gives a row with its attributes', async () => {
  const modes = ['own', 'rolled_up', 'otel', 'other', 5, null, ['own'], { own: 1 }];
  const sources = ['js-sdk', 'python-sdk', 'otel', 7, ['js-sdk'], undefined];
  const weaves: unknown[] = [
    ...modes.flatMap((usage_rollup) => sources.map((source) => ({ usage_rollup, source }))),
    ...sources.map((source) => ({ source })),
    ...['own', null, 3, [{ usage_rollup: 'own' }], { weave: { usage_rollup: 'otel' } }],
  ];
  const project = usageClient.newProject();
  const calls = weaves.map((weave, index) => ({ id: String(index), attributes: { weave } }));
  await usageClient.service.send(`/v2/${project.id}/calls/complete`, {
    body: {
      batch: calls.map(({ id, attributes }) => project.completeCall({ id }, { attributes })),
    },
  });
  const rows = calls.map(({ id, attributes }) =>
    completeRow('team/direct', { id }, { attributes_dump: JSON.stringify(attributes) }),
  );
  await usageClient.clickhouse.insert('call_parts', rows);
  const read = (projectId: string) =>
    usageClient.clickhouse.query<{ id: string; usage_mode: number }>(
      'SELECT id, usage_mode FROM call_parts WHERE project_id = {projectId: String} ORDER BY id',
      { projectId },
    );
  const expected = await read('team/direct');
  expect(new Set(expected.map(({ usage_mode }) => usage_mode))).toEqual(new Set([0, 1, 2]));
  expect(await read(project.id)).toEqual(expected);
});
