import { describe, expect, test } from 'vitest';
import { fixture, usageClientFixture } from '../support/fixtures.ts';
import { orphanEndRow, permutationsOf, startRow } from '../support/rows/part-rows.ts';
import { openService } from '../support/http/service.ts';
import {
  type Project,
  promptTokens,
  promptUsage,
  type ModelUsage,
  toProject,
} from '../support/usage-client.ts';

const usageClient = usageClientFixture();
/** A second service on the same database. */
const secondService = fixture(async () => {
  const service = await openService(usageClient.clickhouse.environment);
  await service.ready;
  return service;
});

/** The parts of one trace: a root, a child whose end does not name the trace, and an unfinished grandchild. */
function partsOf(project: Project, name = 'one'): object[] {
  const trace = `trace-${name}`;
  const root = { id: `root-${name}`, trace, usage: promptUsage(1) };
  const usage = { m: { completion_tokens: 40 } };
  const child = { id: `child-${name}`, trace, parent: root.id, usage };
  return [
    project.startItem(root),
    project.endItem(root, { trace_id: trace }),
    project.startItem(child),
    project.endItem(child),
    project.startItem({ id: `grandchild-${name}`, trace, parent: child.id }),
  ];
}

/** Expects the usage of these traces that their parts have in any order and number. */
async function expectUsage(project: Project, names: readonly string[] = ['one']): Promise<void> {
  await project.setPrices({ m: { prompt_token_cost: 0.005, completion_token_cost: 0.0025 } });
  const ids = names.flatMap((name) => [`root-${name}`, `child-${name}`, `grandchild-${name}`]);
  const expected = names.flatMap((name) => [
    [`root-${name}`, { m: sumsOf(1, 40) }],
    [`child-${name}`, { m: sumsOf(0, 40) }],
    [`grandchild-${name}`, {}],
  ]);
  expect(await project.queryUsage(ids, { include_costs: true })).toEqual({
    call_usage: Object.fromEntries(expected) as object,
    unfinished_call_ids: names.map((name) => `grandchild-${name}`).sort(),
  });
}

function sumsOf(prompt: number, completion: number): ModelUsage {
  return {
    requests: 0,
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_total_cost: prompt * 0.005,
    completion_tokens_total_cost: completion * 0.0025,
  };
}

describe('repeated parts', () => {
  test('sent twice in one batch change nothing', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(...partsOf(project), ...partsOf(project));
    await expectUsage(project);
  });

  test('sent three times change nothing, before and after ClickHouse merges', async () => {
    const project = usageClient.newProject();
    for (let time = 0; time < 3; time += 1) await project.upsertBatch(...partsOf(project));
    await expectUsage(project);
    for (const table of ['call_parts', 'merged_calls', 'call_traces']) {
      await usageClient.clickhouse.command(`OPTIMIZE TABLE ${table} FINAL`);
    }
    await expectUsage(project);
  });

  test('sent concurrently to two services change nothing', async () => {
    const project = usageClient.newProject();
    const secondProject = toProject(secondService, project.id);
    const sending = Array.from({ length: 5 }, () => [
      project.upsertBatch(...partsOf(project)),
      secondProject.upsertBatch(...partsOf(project)),
    ]);
    await Promise.all(sending.flat());
    await expectUsage(project);
  });

  test('of complete calls change nothing', async () => {
    const project = usageClient.newProject();
    const calls = [
      { id: 'a', usage: promptUsage(1) },
      { id: 'b', parent: 'a', usage: promptUsage(10) },
    ];
    await project.sendCompleteCalls(...calls, ...calls);
    await project.sendCompleteCalls(...calls);
    const answer = await project.queryUsage(['a', 'b'], { limit: 2 });
    expect(promptTokens(answer, 'a')).toBe(1 + 10);
    expect(promptTokens(answer, 'b')).toBe(10);
  });

  test('sent as a complete call and as start and end are one call', async () => {
    const project = usageClient.newProject();
    const call = { id: 'a', usage: promptUsage(1) };
    await project.upsertBatch(
      project.startItem(call),
      project.endItem(call, { trace_id: 'trace' }),
    );
    await project.sendCompleteCalls(call);
    expect(promptTokens(await project.queryUsage(['a'], { limit: 1 }), 'a')).toBe(1);
  });
});

describe('order of arrival never matters', () => {
  /** One trace per order, which is its name. */
  const orders = new Map(permutationsOf([0, 1, 2, 3, 4]).map((order) => [order.join(''), order]));

  test('of single parts, in all orders', async () => {
    const project = usageClient.newProject();
    // Batch n contains part n of each trace.
    for (const position of [0, 1, 2, 3, 4]) {
      const items = [...orders].map(([name, order]) => partsOf(project, name)[order[position]!]!);
      await project.upsertBatch(...items);
    }
    expect(orders.size).toBe(5 * 4 * 3 * 2);
    await expectUsage(project, [...orders.keys()]);
  });

  test('of parts within one batch, in all orders', async () => {
    const project = usageClient.newProject();
    const sending = [...orders].map(([name, order]) => {
      const parts = partsOf(project, name);
      return project.upsertBatch(...order.map((index) => parts[index]!));
    });
    await Promise.all(sending);
    await expectUsage(project, [...orders.keys()]);
  });

  test('of parts that arrive concurrently at two services', async () => {
    const project = usageClient.newProject();
    const secondProject = toProject(secondService, project.id);
    await Promise.all(
      partsOf(project).map((part, index) =>
        (index % 2 ? project : secondProject).upsertBatch(part),
      ),
    );
    await expectUsage(project);
  });
});

describe('an orphan end', () => {
  const call = { id: 'a', usage: promptUsage(7) };

  async function expectEnded(project: Project): Promise<void> {
    const answer = await project.queryUsage(['a']);
    expect(promptTokens(answer, 'a')).toBe(7);
    expect(answer.unfinished_call_ids).toEqual([]);
  }

  test('is found if its start arrived before', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.startItem(call));
    await project.upsertBatch(project.endItem(call));
    await expectEnded(project);
  });

  test('is found if its start arrives later', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem(call));
    await project.upsertBatch(project.startItem(call));
    await expectEnded(project);
  });

  test.each([
    ['before', true],
    ['after', false],
  ])('is found if its start is %s it in the same batch', async (_, isStartFirst) => {
    const project = usageClient.newProject();
    const parts = [project.startItem(call), project.endItem(call)];
    await project.upsertBatch(...(isStartFirst ? parts : parts.reverse()));
    await expectEnded(project);
  });

  test.each([[{ trace_id: null }], [{ trace_id: '' }]])(
    'may have an empty trace id: %j',
    async (more) => {
      const project = usageClient.newProject();
      await project.upsertBatch(project.endItem(call, more));
      await project.upsertBatch(project.startItem(call));
      await expectEnded(project);
    },
  );

  test.each(['/call/end', '/v2/%/call/end'])('may be sent alone to %s', async (path) => {
    for (const isStartFirst of [true, false]) {
      const project = usageClient.newProject();
      const sendEnd = async (): Promise<void> => {
        const { req: body } = project.endItem(call) as { req: object };
        const answer = await usageClient.service.send(path.replace('%', project.id), { body });
        expect(answer.status, answer.text).toBe(200);
      };
      if (!isStartFirst) await sendEnd();
      await project.upsertBatch(project.startItem(call));
      if (isStartFirst) await sendEnd();
      await expectEnded(project);
    }
  });

  test('is found if start and end arrive concurrently at two services', async () => {
    const project = usageClient.newProject();
    const secondProject = toProject(secondService, project.id);
    const ids = Array.from({ length: 40 }, (_, index) => `call-${index}`);
    await Promise.all(
      ids.flatMap((id, index) => {
        const shape = { id, trace: `trace-${index}`, usage: promptUsage(1 + index) };
        const sending = [
          () => project.upsertBatch(project.startItem(shape)),
          () => secondProject.upsertBatch(project.endItem(shape)),
        ];
        return (index % 2 ? sending : sending.reverse()).map((send) => send());
      }),
    );
    const answer = await project.queryUsage(ids);
    expect(ids.map((id) => promptTokens(answer, id))).toEqual(ids.map((_, index) => 1 + index));
    expect(answer.unfinished_call_ids).toEqual([]);
  });

  test.each([
    ['before', true],
    ['after', false],
  ])('is found if a pipeline inserts it %s its start', async (_, isEndFirst) => {
    const project = usageClient.newProject();
    const rows = [orphanEndRow(project.id, call), startRow(project.id, call)];
    for (const row of isEndFirst ? rows : rows.reverse()) {
      await usageClient.clickhouse.insert('call_parts', [row]);
    }
    await expectEnded(project);
  });

  test('counts once if it also arrives with its trace id', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem(call));
    await project.upsertBatch(
      project.startItem(call),
      project.endItem(call, { trace_id: 'trace' }),
    );
    await project.upsertBatch(project.endItem(call));
    await expectEnded(project);
  });

  test('ends a call without usage', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem({ id: 'a' }));
    await project.upsertBatch(project.startItem({ id: 'a' }));
    expect(await project.queryUsage(['a'])).toEqual({
      call_usage: { a: {} },
      unfinished_call_ids: [],
    });
  });

  test('counts in the ancestors of its call', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem({ id: 'leaf', usage: promptUsage(100) }));
    await project.sendCompleteCalls(
      { id: 'root', usage: promptUsage(1) },
      { id: 'a', parent: 'root', usage: promptUsage(10) },
    );
    await project.upsertBatch(project.startItem({ id: 'leaf', parent: 'a' }));
    const answer = await project.queryUsage(['root', 'leaf']);
    expect(promptTokens(answer, 'root')).toBe(1 + 10 + 100);
    expect(promptTokens(answer, 'leaf')).toBe(100);
  });

  test('is found in its own project only', async () => {
    const [one, two] = [usageClient.newProject(), usageClient.newProject()];
    await one.upsertBatch(one.endItem(call));
    await two.upsertBatch(two.startItem(call));
    expect(await two.queryUsage(['a'])).toEqual({
      call_usage: { a: {} },
      unfinished_call_ids: ['a'],
    });
    await one.upsertBatch(one.startItem(call));
    await expectEnded(one);
  });

  test('whose start never arrives counts nowhere', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem(call));
    await project.sendCompleteCalls({ id: 'b', parent: 'a', usage: promptUsage(1) });
    expect((await project.queryUsage(['a', 'b'])).call_usage).toMatchObject({
      a: {},
      b: { m: { prompt_tokens: 1 } },
    });
  });

  test('is deleted with its call', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem(call));
    await project.upsertBatch(project.startItem(call));
    expect(await project.deleteCalls('a')).toBe(1);
    expect(await project.queryUsage(['a'])).toEqual({
      call_usage: { a: {} },
      unfinished_call_ids: [],
    });
  });
});
