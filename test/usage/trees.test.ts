import { beforeAll, describe, expect, test } from 'vitest';
import {
  type UsageAnswer,
  type Project,
  promptTokens,
  promptUsage,
} from '../support/usage-client.ts';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

/** Prompt tokens of every call in an answer. */
function tokensIn(answer: UsageAnswer): Record<string, number> {
  const ids = Object.keys(answer.call_usage);
  return Object.fromEntries(ids.map((id) => [id, promptTokens(answer, id)]));
}

/** Each call has its own power of ten as tokens: the digits of a sum show which calls are in it. */
const tree = [
  { id: 'root', usage: promptUsage(1) },
  { id: 'a', parent: 'root', usage: promptUsage(10) },
  { id: 'b', parent: 'a', usage: promptUsage(100) },
  { id: 'c', parent: 'b', usage: promptUsage(1_000) },
  { id: 'd', parent: 'root', usage: promptUsage(10_000) },
  { id: 'other root', usage: promptUsage(100_000) },
];

describe('which calls count', () => {
  test('a trace whose id is 0 contains nothing of other traces', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      { id: 'a', trace: '0', usage: promptUsage(1) },
      { id: 'b', trace: '1', usage: promptUsage(10) },
    );
    expect(tokensIn(await project.queryUsage(['a', 'b']))).toEqual({ a: 1, b: 10 });
  });

  test('the call itself and every descendant, for roots, inner calls and leaves alike', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(...tree);
    const answers: Record<string, number> = {};
    for (const { id } of tree) answers[id] = promptTokens(await project.queryUsage([id]), id);
    expect(answers).toEqual({
      root: 1 + 10 + 100 + 1_000 + 10_000,
      a: 10 + 100 + 1_000,
      b: 100 + 1_000,
      c: 1_000,
      d: 10_000,
      'other root': 100_000,
    });
  });

  test('a requested call inside another requested call’s subtree counts in both', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(...tree);
    expect(tokensIn(await project.queryUsage(['c', 'root', 'a']))).toEqual({
      root: 1 + 10 + 100 + 1_000 + 10_000,
      a: 10 + 100 + 1_000,
      c: 1_000,
    });
    expect(tokensIn(await project.queryUsage(tree.map(({ id }) => id)))).toEqual({
      root: 1 + 10 + 100 + 1_000 + 10_000,
      a: 10 + 100 + 1_000,
      b: 100 + 1_000,
      c: 1_000,
      d: 10_000,
      'other root': 100_000,
    });
  });

  test('calls of many traces may be requested together', async () => {
    const project = usageClient.newProject();
    const traces = Array.from({ length: 50 }, (_, index) => index);
    await project.sendCompleteCalls(
      ...traces.flatMap((index) => [
        { id: `root-${index}`, trace: `trace-${index}`, usage: promptUsage(index) },
        {
          id: `child-${index}`,
          trace: `trace-${index}`,
          parent: `root-${index}`,
          usage: promptUsage(1_000),
        },
      ]),
    );
    expect(tokensIn(await project.queryUsage(traces.map((index) => `root-${index}`)))).toEqual(
      Object.fromEntries(traces.map((index) => [`root-${index}`, index + 1_000])),
    );
  });

  test('a parent in another trace is no parent', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      { id: 'root', trace: 'one', usage: promptUsage(1) },
      { id: 'child', trace: 'one', parent: 'root', usage: promptUsage(10) },
      { id: 'elsewhere', trace: 'two', parent: 'root', usage: promptUsage(100) },
    );
    expect(tokensIn(await project.queryUsage(['root', 'elsewhere']))).toEqual({
      root: 1 + 10,
      elsewhere: 100,
    });
  });

  test('a parent in another project is not a parent, and equal ids there are other calls', async () => {
    const [one, two] = [usageClient.newProject(), usageClient.newProject()];
    await one.sendCompleteCalls({ id: 'root', usage: promptUsage(1) });
    await two.sendCompleteCalls(
      { id: 'root', usage: promptUsage(10) },
      { id: 'child', parent: 'root', usage: promptUsage(100) },
    );
    expect(tokensIn(await one.queryUsage(['root', 'child']))).toEqual({ root: 1, child: 0 });
    expect(tokensIn(await two.queryUsage(['root', 'child']))).toEqual({
      root: 10 + 100,
      child: 100,
    });
    await two.deleteCalls('root');
    expect(tokensIn(await one.queryUsage(['root']))).toEqual({ root: 1 });
  });

  test('a project whose id is a prefix of another one’s is another project', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'a', usage: promptUsage(1) });
    const body = { project_id: project.id.slice(0, -1), call_ids: ['a'] };
    const answer = await usageClient.service.send('/calls/usage', { body });
    expect((answer.json() as UsageAnswer).call_usage).toEqual({ a: {} });
  });

  test('trace and call may have the same id', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      { id: 'x', trace: 'x', usage: promptUsage(1) },
      { id: 'y', trace: 'x', parent: 'x', usage: promptUsage(10) },
    );
    expect(tokensIn(await project.queryUsage(['x']))).toEqual({ x: 1 + 10 });
  });
});

describe('incomplete trees', () => {
  test('a call whose parent never arrived is nobody’s descendant', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      { id: 'root', usage: promptUsage(1) },
      { id: 'orphan', parent: 'missing', usage: promptUsage(10) },
      { id: 'descendant', parent: 'orphan', usage: promptUsage(100) },
    );
    expect(tokensIn(await project.queryUsage(['root', 'missing']))).toEqual({
      root: 1,
      missing: 0,
    });
    expect(tokensIn(await project.queryUsage(['root', 'orphan', 'descendant']))).toEqual({
      root: 1,
      orphan: 10 + 100,
      descendant: 100,
    });
  });

  test('a parent without a start is not a parent', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(
      project.endItem({ id: 'end', usage: promptUsage(1) }, { trace_id: 'trace' }),
    );
    await project.sendCompleteCalls({ id: 'child', parent: 'end', usage: promptUsage(10) });
    expect(tokensIn(await project.queryUsage(['end', 'child']))).toEqual({ end: 0, child: 10 });
  });

  test('a parent that arrives late has its children', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'child', parent: 'root', usage: promptUsage(10) });
    expect(tokensIn(await project.queryUsage(['root', 'child']))).toEqual({ root: 0, child: 10 });
    await project.upsertBatch(project.startItem({ id: 'root' }));
    expect(tokensIn(await project.queryUsage(['root', 'child']))).toEqual({ root: 10, child: 10 });
  });
});

describe('a cycle in parent_id', () => {
  let cycleProject: Project;
  beforeAll(async () => {
    cycleProject = usageClient.newProject();
    await cycleProject.sendCompleteCalls(...cycle);
  });

  test('of one call counts it once', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      { id: 'a', parent: 'a', usage: promptUsage(1) },
      { id: 'descendant', parent: 'a', usage: promptUsage(10) },
    );
    expect(tokensIn(await project.queryUsage(['a', 'descendant']))).toEqual({
      a: 1 + 10,
      descendant: 10,
    });
    expect(tokensIn(await project.queryUsage(['descendant']))).toEqual({ descendant: 10 });
  });

  /** a > b > c > a; d is a child of b, e a child of d; f is a root. */
  const cycle = [
    { id: 'a', parent: 'c', usage: promptUsage(1) },
    { id: 'b', parent: 'a', usage: promptUsage(10) },
    { id: 'c', parent: 'b', usage: promptUsage(100) },
    { id: 'd', parent: 'b', usage: promptUsage(1_000) },
    { id: 'e', parent: 'd', usage: promptUsage(10_000) },
    { id: 'f', usage: promptUsage(100_000) },
  ];
  const cycleTotal = 1 + 10 + 100 + 1_000 + 10_000;

  test.each([
    [['a']],
    [['b']],
    [['c']],
    [['d']],
    [['e', 'd']],
    [['a', 'b']],
    [['c', 'a']],
    [['a', 'b', 'c']],
    [['c', 'd']],
    [['f']],
    [['f', 'e', 'd', 'c', 'b', 'a']],
  ])('counts its members once each, whichever are requested: %j', async (ids) => {
    const expected: Record<string, number> = {
      a: cycleTotal,
      b: cycleTotal,
      c: cycleTotal,
      d: 1_000 + 10_000,
      e: 10_000,
      f: 100_000,
    };
    expect(tokensIn(await cycleProject.queryUsage(ids))).toEqual(
      Object.fromEntries(ids.map((id) => [id, expected[id]])),
    );
  });

  test('counts each member once for the limit', async () => {
    await cycleProject.queryUsage(['a', 'b'], { limit: 5 });
    expect((await cycleProject.sendUsageRequest(['a', 'b'], { limit: 4 })).text).toContain(
      ' 5 calls',
    );
  });

  test('names each unfinished member once', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(...cycle.map((call) => project.startItem(call)));
    const { unfinished_call_ids } = await project.queryUsage(['c', 'a']);
    expect(unfinished_call_ids).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('is deleted with all its members and their descendants', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(...cycle);
    // All members of the cycle are descendants of c, and so are d and e.
    expect(await project.deleteCalls('c')).toBe(5);
    expect(tokensIn(await project.queryUsage(['a', 'c', 'e', 'f']))).toEqual({
      a: 0,
      c: 0,
      e: 0,
      f: 100_000,
    });
  });

  test.each([2, 3, 1_000])('of %d calls counts every one', async (length) => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      ...Array.from({ length }, (_, index) => ({
        id: `call-${index}`,
        parent: `call-${(index + 1) % length}`,
        usage: promptUsage(index),
      })),
    );
    const all = (length * (length - 1)) / 2;
    expect(tokensIn(await project.queryUsage(['call-1']))).toEqual({ 'call-1': all });
    expect(tokensIn(await project.queryUsage(['call-0', 'call-1']))).toEqual({
      'call-0': all,
      'call-1': all,
    });
  });

  test('next to the requested tree changes nothing', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      ...cycle,
      ...tree.map((call) => ({ ...call, id: `tree ${call.id}` })),
    );
    expect(tokensIn(await project.queryUsage(['tree root']))).toEqual({ 'tree root': 1 });
  });
});

describe('deleted calls', () => {
  test('are not counted, and their descendants do not count in ancestors', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(...tree);
    // a and its descendants b and c.
    expect(await project.deleteCalls('a')).toBe(3);
    const answer = await project.queryUsage(tree.map(({ id }) => id));
    expect(tokensIn(answer)).toEqual({
      root: 1 + 10_000,
      a: 0,
      b: 0,
      c: 0,
      d: 10_000,
      'other root': 100_000,
    });
  });

  test('cut off descendants that arrive later', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(...tree);
    await project.deleteCalls('a');
    await project.sendCompleteCalls(
      { id: 'late', parent: 'b', usage: promptUsage(1_000_000) },
      { id: 'later', parent: 'late', usage: promptUsage(10_000_000) },
    );
    expect(tokensIn(await project.queryUsage(['root', 'b', 'late', 'later']))).toEqual({
      root: 1 + 10_000,
      b: 0,
      late: 1_000_000 + 10_000_000,
      later: 10_000_000,
    });
  });

  test('between two requested calls keep the inner one from counting in the outer one', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(...tree);
    await project.deleteCalls('b');
    await project.sendCompleteCalls({ id: 'late', parent: 'b', usage: promptUsage(1_000_000) });
    expect(tokensIn(await project.queryUsage(['root', 'b', 'late']))).toEqual({
      root: 1 + 10 + 10_000,
      b: 0,
      late: 1_000_000,
    });
  });

  test('stay deleted when their parts are sent again', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(...tree);
    await project.deleteCalls('a');
    await project.sendCompleteCalls(...tree);
    expect(tokensIn(await project.queryUsage(['root', 'a']))).toEqual({ root: 1 + 10_000, a: 0 });
  });

  test('stay deleted when their end arrives later', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.startItem({ id: 'a' }));
    await project.deleteCalls('a');
    await project.upsertBatch(project.endItem({ id: 'a', usage: promptUsage(1) }));
    expect(await project.queryUsage(['a'])).toEqual({
      call_usage: { a: {} },
      unfinished_call_ids: [],
    });
  });
});
