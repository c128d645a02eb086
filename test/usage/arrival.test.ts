import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { orphanEndRow, permutationsOf, startRow } from '../support/part-rows.ts';
import { openService, type TestService } from '../support/service.ts';
import {
  type UsageClient,
  openUsageClient,
  type Project,
  promptTokens,
  promptUsage,
  type ModelUsage,
  toProject,
} from '../support/usage-client.ts';

let usageClient: UsageClient;
/** A second service on the same database. */
let other: TestService;
beforeAll(async () => {
  usageClient = await openUsageClient();
  other = await openService(usageClient.clickhouse.environment);
  await other.ready;
});
afterAll(async () => {
  await other.close();
  await usageClient.close();
});

/**
 * The trace of some name: a root with a child and a running grandchild, in parts; the child's end does not say
 * its trace.
 */
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

/** Asks of all calls of traces and expects what is true of their parts however they came. */
async function expectTruth(project: Project, names: readonly string[] = ['one']): Promise<void> {
  await project.setPrices({ m: { prompt_token_cost: 0.5, completion_token_cost: 0.25 } });
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
    prompt_tokens_total_cost: prompt * 0.5,
    completion_tokens_total_cost: completion * 0.25,
  };
}

describe('repeated parts', () => {
  test('sent twice in one batch change nothing', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(...partsOf(project), ...partsOf(project));
    await expectTruth(project);
  });

  test('sent again and again change nothing, before ClickHouse merges and after', async () => {
    const project = usageClient.newProject();
    for (let time = 0; time < 3; time += 1) await project.upsertBatch(...partsOf(project));
    await expectTruth(project);
    for (const table of ['call_parts', 'calls', 'call_traces']) {
      await usageClient.clickhouse.command(`OPTIMIZE TABLE ${table} FINAL`);
    }
    await expectTruth(project);
  });

  test('sent by two clients to two services at once change nothing', async () => {
    const project = usageClient.newProject();
    const elsewhere = toProject(other, project.id);
    const sending = Array.from({ length: 5 }, () => [
      project.upsertBatch(...partsOf(project)),
      elsewhere.upsertBatch(...partsOf(project)),
    ]);
    await Promise.all(sending.flat());
    await expectTruth(project);
  });

  test('of whole calls change nothing', async () => {
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

  test('as a whole call and as its start and end are one call', async () => {
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
  /** One trace per order: its name is the order. */
  const orders = new Map(permutationsOf([0, 1, 2, 3, 4]).map((order) => [order.join(''), order]));

  test('each part by itself, in all orders', async () => {
    const project = usageClient.newProject();
    // The nth batch brings the nth part of each trace.
    for (const position of [0, 1, 2, 3, 4]) {
      const items = [...orders].map(([name, order]) => partsOf(project, name)[order[position]!]!);
      await project.upsertBatch(...items);
    }
    expect(orders.size).toBe(5 * 4 * 3 * 2);
    await expectTruth(project, [...orders.keys()]);
  });

  test('all parts of a trace in one batch, in all orders', async () => {
    const project = usageClient.newProject();
    const sending = [...orders].map(([name, order]) => {
      const parts = partsOf(project, name);
      return project.upsertBatch(...order.map((index) => parts[index]!));
    });
    await Promise.all(sending);
    await expectTruth(project, [...orders.keys()]);
  });

  test('all parts at once', async () => {
    const project = usageClient.newProject();
    const elsewhere = toProject(other, project.id);
    await Promise.all(
      partsOf(project).map((part, index) => (index % 2 ? project : elsewhere).upsertBatch(part)),
    );
    await expectTruth(project);
  });
});

describe('an end without a trace id', () => {
  const call = { id: 'a', usage: promptUsage(7) };

  async function expectEnded(project: Project): Promise<void> {
    const answer = await project.queryUsage(['a']);
    expect(promptTokens(answer, 'a')).toBe(7);
    expect(answer.unfinished_call_ids).toEqual([]);
  }

  test('is found when its start came before', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.startItem(call));
    await project.upsertBatch(project.endItem(call));
    await expectEnded(project);
  });

  test('is found when its start comes after it', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem(call));
    await project.upsertBatch(project.startItem(call));
    await expectEnded(project);
  });

  test.each([
    ['before', true],
    ['behind', false],
  ])('is found when its start stands %s it in the same batch', async (_, isStartFirst) => {
    const project = usageClient.newProject();
    const parts = [project.startItem(call), project.endItem(call)];
    await project.upsertBatch(...(isStartFirst ? parts : parts.reverse()));
    await expectEnded(project);
  });

  test.each([[{ trace_id: null }], [{ trace_id: '' }]])('may say so: %j', async (more) => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem(call, more));
    await project.upsertBatch(project.startItem(call));
    await expectEnded(project);
  });

  test.each(['/call/end', '/v2/%/call/end'])('may come by itself, by %s', async (path) => {
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

  test('is found when start and end come to two services at once', async () => {
    const project = usageClient.newProject();
    const elsewhere = toProject(other, project.id);
    const ids = Array.from({ length: 40 }, (_, index) => `call-${index}`);
    await Promise.all(
      ids.flatMap((id, index) => {
        const shape = { id, trace: `trace-${index}`, usage: promptUsage(1 + index) };
        const sending = [
          () => project.upsertBatch(project.startItem(shape)),
          () => elsewhere.upsertBatch(project.endItem(shape)),
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
    ['behind', false],
  ])('is found when a pipeline inserts it %s its start', async (_, isEndFirst) => {
    const project = usageClient.newProject();
    const rows = [orphanEndRow(project.id, call), startRow(project.id, call)];
    for (const row of isEndFirst ? rows : rows.reverse()) {
      await usageClient.clickhouse.insert('call_parts', [row]);
    }
    await expectEnded(project);
  });

  test('counts once when it comes with its trace id as well', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem(call));
    await project.upsertBatch(
      project.startItem(call),
      project.endItem(call, { trace_id: 'trace' }),
    );
    await project.upsertBatch(project.endItem(call));
    await expectEnded(project);
  });

  test('ends a call that used nothing', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem({ id: 'a' }));
    await project.upsertBatch(project.startItem({ id: 'a' }));
    expect(await project.queryUsage(['a'])).toEqual({
      call_usage: { a: {} },
      unfinished_call_ids: [],
    });
  });

  test('counts in the calls above it', async () => {
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

  test('belongs to its project alone', async () => {
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

  test('whose start never comes is invisible', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.endItem(call));
    await project.sendCompleteCalls({ id: 'b', parent: 'a', usage: promptUsage(1) });
    expect((await project.queryUsage(['a', 'b'])).call_usage).toMatchObject({
      a: {},
      b: { m: { prompt_tokens: 1 } },
    });
  });

  test('may be deleted with its call', async () => {
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
