import { describe, expect, test } from 'vitest';
import { callKey } from '../oracle/call-key.ts';
import { usageClientFixture } from '../support/fixtures.ts';
import { completeRow, deletionRow, type Row } from '../support/rows/part-rows.ts';
import { type SpanShape, spanRow } from '../support/rows/span-rows.ts';

const client = usageClientFixture();

/** What each call counts when it is requested: input tokens of the model `m`. */
type Counts = Readonly<Record<string, number>>;

/**
 * Inserts rows of a project and requests each of these calls alone, then together with all others, so that a tree walk
 * counts roots as well.
 */
async function expectCounts(toRows: (project: string) => Row[], expected: Counts): Promise<void> {
  const project = client.newProject();
  const rows = toRows(project.id);
  await client.clickhouse.insert('call_parts', rows);
  const ids = Object.keys(expected);
  const allIds = [...new Set(rows.map((row) => row['id'] as string))];
  const query = async (callIds: readonly string[]) => {
    const { call_usage } = await project.queryUsage(callIds);
    return ids
      .filter((id) => callIds.includes(id))
      .map((id) => [id, call_usage[id]?.['m']?.prompt_tokens ?? 0] as const);
  };
  const alone = await Promise.all(ids.map((id) => query([id])));
  expect(Object.fromEntries(alone.flat()), 'alone').toEqual(expected);
  expect(Object.fromEntries(await query(allIds)), 'together').toEqual(expected);
}

async function expectSpans(spans: readonly SpanShape[], expected: Counts): Promise<void> {
  await expectCounts((project) => spans.map((span) => spanRow(project, span)), expected);
}

const root: SpanShape = { id: 'root', kind: 'other', time: [0, 90] };

describe('a span with usage below it does not count', () => {
  test('whatever its kind and numbers, through spans without usage', async () => {
    await expectSpans(
      [
        { ...root, kind: 'agent', tokens: 900 },
        { id: 'step', parent: 'root', kind: 'other' },
        { id: 'outer', parent: 'step', tokens: 40 },
        { id: 'inner', parent: 'outer', tokens: 60 },
        { id: 'second', parent: 'step', tokens: 8 },
      ],
      { root: 68, step: 68, outer: 60, inner: 60, second: 8 },
    );
  });

  test('unless a tool is between: an agent knows nothing of what its tools use', async () => {
    await expectSpans(
      [
        { ...root, kind: 'agent', tokens: 10 },
        { id: 'tool', parent: 'root', kind: 'tool' },
        { id: 'chat', parent: 'tool', tokens: 200 },
      ],
      { root: 210, tool: 200, chat: 200 },
    );
  });

  test('and a tool with usage repeats it like any span', async () => {
    await expectSpans(
      [
        { ...root, kind: 'agent', tokens: 10 },
        { id: 'tool', parent: 'root', kind: 'tool', tokens: 300 },
        { id: 'chat', parent: 'tool', tokens: 200 },
      ],
      { root: 200, tool: 200, chat: 200 },
    );
  });

  test('unless what is below it is deleted, has a deleted parent, or a parent that is missing', async () => {
    await expectCounts(
      (project) => [
        spanRow(project, { ...root, tokens: 10 }),
        spanRow(project, { id: 'a', parent: 'root', tokens: 20 }),
        deletionRow(project, { id: 'a' }),
        spanRow(project, { id: 'b', parent: 'a', tokens: 40 }),
        spanRow(project, { id: 'c', parent: 'late', tokens: 80 }),
      ],
      { root: 10, a: 0, b: 40, c: 80 },
    );
  });

  test('unless it is in a cycle, whose members count once each', async () => {
    await expectSpans(
      [
        { id: 'a', parent: 'b', tokens: 10 },
        { id: 'b', parent: 'a', tokens: 20 },
        { id: 'self', parent: 'self', tokens: 40 },
      ],
      { a: 30, b: 30, self: 40 },
    );
  });

  test('and a span without tokens is no request, and repeats nothing', async () => {
    const summary_dump = '{"usage":{"m":{"requests":1,"input_tokens":0}}}';
    const project = client.newProject();
    await client.clickhouse.insert('call_parts', [
      spanRow(project.id, root),
      spanRow(project.id, { id: 'chat', parent: 'root', tokens: 20 }),
      spanRow(project.id, { id: 'raw', parent: 'chat' }, { summary_dump }),
    ]);
    const { call_usage } = await project.queryUsage(['root']);
    expect(call_usage['root']?.['m']).toMatchObject({ requests: 1, prompt_tokens: 20 });
  });
});

describe('of spans with the same response, one counts in each requested subtree', () => {
  const wrapper: SpanShape = { id: 'wrapper', parent: 'root', time: [10, 30], tokens: 40 };

  test('the one that started last', async () => {
    const first = { ...wrapper, response: 'r' };
    const second: SpanShape = { ...first, id: 'sdk', time: [12, 40], tokens: 20 };
    await expectSpans([root, first, second], { root: 20, wrapper: 40, sdk: 20 });
  });

  test('of these, the one that ended first', async () => {
    const first = { ...wrapper, response: 'r' };
    const second: SpanShape = { ...first, id: 'sdk', time: [10, 29], tokens: 20 };
    await expectSpans([root, first, second], { root: 20, wrapper: 40, sdk: 20 });
  });

  test('of these, the one with the greater key', async () => {
    const ids = ['wrapper', 'sdk'] as const;
    const spans = ids.map((id, index) => ({
      ...{ ...wrapper, id, response: 'r' },
      tokens: index === 0 ? 40 : 20,
    }));
    const isFirst = callKey('trace', 'wrapper') > callKey('trace', 'sdk');
    await expectSpans([root, ...spans], { root: isFirst ? 40 : 20, wrapper: 40, sdk: 20 });
  });

  test('wherever they are in the tree, but not agents, and not those of another trace', async () => {
    await expectSpans(
      [
        root,
        { ...wrapper, response: 'r' },
        { id: 'step', parent: 'root', kind: 'other' },
        { id: 'deep', parent: 'step', time: [50, 60], response: 'r', tokens: 2 },
        { id: 'agent', parent: 'root', kind: 'agent', response: 'r', time: [70, 80], tokens: 100 },
        { id: 'elsewhere', trace: 'other', response: 'r', time: [71, 80], tokens: 4 },
      ],
      { root: 102, wrapper: 40, step: 2, deep: 2, agent: 100, elsewhere: 4 },
    );
  });

  test('not one that is deleted', async () => {
    await expectCounts(
      (project) => [
        spanRow(project, root),
        spanRow(project, { ...wrapper, response: 'r' }),
        spanRow(project, { ...wrapper, id: 'sdk', time: [12, 20], response: 'r', tokens: 20 }),
        deletionRow(project, { id: 'sdk' }),
      ],
      { root: 40, wrapper: 40, sdk: 0 },
    );
  });
});

describe('of twins without responses, the inner one counts', () => {
  const outer: SpanShape = { id: 'outer', parent: 'root', time: [10, 30], scope: 1, tokens: 40 };
  const inner: SpanShape = { ...outer, id: 'inner', time: [12, 28], scope: 2 };

  test('when a wrapper and an SDK report one request beside each other', async () => {
    await expectSpans([root, outer, inner], { root: 40, outer: 40, inner: 40 });
  });

  test('when three instrumentations report two requests', async () => {
    const third = { ...inner, id: 'third', time: [13, 27], scope: 3 } as const;
    const next = { ...outer, id: 'next', time: [50, 60] } as const;
    await expectSpans([root, outer, inner, third, next], { root: 80, third: 40, next: 40 });
  });

  test('when a span of the outer one’s scope is within both', async () => {
    const third: SpanShape = { ...outer, id: 'third', time: [14, 20] };
    await expectSpans([root, outer, inner, third], { root: 40, outer: 40, third: 40 });
    const [a, b] = [{ response: 'a' }, { response: 'b' }];
    const spans = [{ ...outer, ...a }, inner, { ...third, ...b }];
    await expectSpans([root, ...spans], { root: 40, outer: 40, third: 40 });
  });

  test('only when the one of another scope ended first', async () => {
    const third: SpanShape = { ...outer, id: 'third', time: [14, 20] };
    const late: SpanShape = { ...inner, time: [12, 31] };
    await expectSpans([root, outer, late, third], { root: 80, outer: 40, third: 40 });
  });

  test('when both have the same times', async () => {
    await expectSpans([root, outer, { ...inner, time: [10, 30] }], { root: 40, inner: 40 });
  });

  test('when a second agent above them repeats their usage', async () => {
    const agent: SpanShape = { ...root, id: 'agent', parent: 'root', kind: 'agent', tokens: 40 };
    const below = [outer, inner].map((span) => ({ ...span, parent: 'agent' }));
    await expectSpans([root, agent, ...below], { root: 40, agent: 40, outer: 40, inner: 40 });
  });

  test.each<[string, Partial<SpanShape>, Partial<SpanShape>]>([
    ['of the same scope', { scope: 1 }, {}],
    ['of other counts', { tokens: 42 }, {}],
    ['of which one is not an inference', { kind: 'other' }, {}],
    ['that overlap only', { time: [12, 31] }, {}],
    ['with two responses', { response: 'a' }, { response: 'b' }],
  ])('but spans %s are two calls', async (_what, ofInner, ofOuter) => {
    const agent: SpanShape = { ...root, kind: 'agent', tokens: 900 };
    const spans = [
      { ...outer, ...ofOuter },
      { ...inner, ...ofInner },
    ];
    await expectSpans([agent, ...spans], { root: 40 + (ofInner.tokens ?? 40) });
  });

  test('but spans with two parents are two calls', async () => {
    const step: SpanShape = { id: 'step', parent: 'root', kind: 'other', time: [0, 90] };
    await expectSpans([root, outer, step, { ...inner, parent: 'step' }], { root: 80, outer: 40 });
  });

  test('but roots are two calls', async () => {
    const { parent: _outer, ...first } = outer;
    const { parent: _inner, ...second } = inner;
    await expectSpans([first, second], { outer: 40, inner: 40 });
  });

  test('and one with a response may be the twin of one without', async () => {
    await expectSpans([root, { ...outer, response: 'a' }, inner], { root: 40, outer: 40 });
    await expectSpans([root, outer, { ...inner, response: 'a' }], { root: 40, outer: 40 });
  });
});

describe('in a trace with calls of other modes', () => {
  const rolledUp = { usage_mode: 1 };
  const usage = (input_tokens: number) => ({ m: { requests: 1, input_tokens } });
  const time = '2026-01-31 12:00:00.000000';

  test('a span above an SDK’s calls repeats their usage', async () => {
    await expectCounts(
      (project) => [
        spanRow(project, { ...root, tokens: 80 }),
        completeRow(project, { id: 'sdk', parent: 'root', usage: usage(30) }, rolledUp),
        completeRow(project, { id: 'call', parent: 'sdk', usage: usage(30) }, rolledUp),
      ],
      { root: 30, sdk: 30, call: 30 },
    );
  });

  test('a request that an SDK and a span below it report counts once', async () => {
    const output_dump = '{"id":"r"}';
    await expectCounts(
      (project) => [
        completeRow(project, { id: 'op', startedAt: time, usage: usage(30) }, rolledUp),
        completeRow(
          project,
          { id: 'call', parent: 'op', usage: usage(30) },
          { ...rolledUp, output_dump },
        ),
        spanRow(project, { id: 'span', parent: 'call', time: [5, 9], response: 'r', tokens: 30 }),
      ],
      { op: 30, call: 30, span: 30 },
    );
  });

  test('usage that a client declares to be its own counts, and so does what is below it', async () => {
    await expectCounts(
      (project) => [
        spanRow(project, { ...root, tokens: 80 }, { usage_mode: 0 }),
        spanRow(project, { id: 'chat', parent: 'root', tokens: 20 }),
      ],
      { root: 100, chat: 20 },
    );
  });
});

test('an explanation says what was repeated, for each requested call', async () => {
  const project = client.newProject();
  const spans: SpanShape[] = [
    { ...root, kind: 'agent', tokens: 900 },
    { id: 'wrapper', parent: 'root', response: 'r', scope: 1, time: [10, 30], tokens: 42 },
    { id: 'sdk', parent: 'root', response: 'r', scope: 2, time: [12, 28], tokens: 40 },
  ];
  await client.clickhouse.insert(
    'call_parts',
    spans.map((span) => spanRow(project.id, span)),
  );
  const body = { project_id: project.id, call_ids: ['root', 'wrapper', 'sdk'] };
  const { json } = await client.service.send('/usage/explain', { body });
  const { call_usage } = json() as {
    call_usage: Record<string, Record<string, { prompt_tokens: number; double_counted: object }>>;
  };
  const counted = Object.fromEntries(
    Object.entries(call_usage).map(([id, models]) => [
      id,
      [models['m']?.prompt_tokens, models['m']?.double_counted],
    ]),
  );
  const none = { requests: 0, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const [prompt_tokens, completion_tokens] = [900 + 42, (900 + 42) / 2];
  const total_tokens = prompt_tokens + completion_tokens;
  expect(counted).toEqual({
    root: [40, { requests: 2, prompt_tokens, completion_tokens, total_tokens }],
    wrapper: [42, none],
    sdk: [40, none],
  });
});
