import { beforeAll, describe, expect, test } from 'vitest';
import { completeRow } from '../support/rows/part-rows.ts';
import { type UsageAnswer, contract, promptTokens, promptUsage } from '../support/usage-client.ts';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

describe('result keys', () => {
  /** The ids in the order of an answer's text; JavaScript objects move integers to the front. */
  const idsIn = (text: string): string[] =>
    [...text.matchAll(/"([^"]*)":\{(?=\}|"m")/g)].map(([, id = '']) => id);

  test('are the distinct requested ids, in the order of the request', async () => {
    const project = usageClient.newProject();
    const ids = ['b', '10', 'a', '9', 'c'];
    await project.sendCompleteCalls(...ids.map((id) => ({ id, usage: promptUsage(1) })));

    const answer = await project.sendUsageRequest([
      'b',
      '10',
      'unknown',
      'a',
      'b',
      '9',
      'a',
      'c',
      '10',
    ]);

    expect(idsIn(answer.text)).toEqual(['b', '10', 'unknown', 'a', '9', 'c']);
  });

  test('unknown, deleted and usage-less ids map to {}', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'deleted', usage: promptUsage(1) }, { id: 'no usage' });
    await project.upsertBatch(project.startItem({ id: 'running' }));
    await project.deleteCalls('deleted');

    const { call_usage } = await project.queryUsage([
      'unknown',
      'deleted',
      'no usage',
      'running',
      '',
    ]);

    expect(call_usage).toEqual({ unknown: {}, deleted: {}, 'no usage': {}, running: {}, '': {} });
  });

  test('an id without a start is unknown', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(
      project.endItem({ id: 'orphan end', usage: promptUsage(1) }),
      project.endItem({ id: 'traced end', usage: promptUsage(1) }, { trace_id: 'trace' }),
    );
    const answer = await project.queryUsage(['orphan end', 'traced end']);
    expect(answer).toEqual({
      call_usage: { 'orphan end': {}, 'traced end': {} },
      unfinished_call_ids: [],
    });
  });

  test('a request without ids gets 200 with empty maps', async () => {
    const answer = await usageClient.newProject().sendUsageRequest([]);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"call_usage":{},"unfinished_call_ids":[]}');
  });

  test('an unknown project has no calls', async () => {
    const answer = await usageClient.newProject().queryUsage(['a'], { include_costs: true });
    expect(answer).toEqual({ call_usage: { a: {} }, unfinished_call_ids: [] });
  });
});

describe('models', () => {
  const names = [
    ...['', ' ', 'GPT-4o', 'gpt-4o ', 'openai/gpt-4o', 'ft:gpt-4o:org::id', '1', '__proto__'],
    ...['constructor', '"quoted"', 'back\\slash', 'line\nbreak', 'nul\0', '\u{1f600}', '\ufeff'],
    ...['e\u0301', 'é', '{', '\u2028', "it's", 'null', 'x'.repeat(4_096)],
  ];
  let answer: UsageAnswer;
  beforeAll(async () => {
    const project = usageClient.newProject();
    const calls = names.map((name, index) => ({
      id: `call-${index}`,
      usage: JSON.parse(`{${JSON.stringify(name)}:{"prompt_tokens":3}}`) as object,
    }));
    await project.sendCompleteCalls(...calls);
    answer = await project.queryUsage(calls.map(({ id }) => id));
  });

  test.each(names.map((name, index) => [name, `call-${index}`]))(
    'names are kept verbatim: %j',
    (name, id) => {
      expect(Object.entries(answer.call_usage[id] ?? {})).toEqual([
        [name, expect.objectContaining({ prompt_tokens: 3 })],
      ]);
    },
  );

  test('that differ in one character are different models, in order of code points', async () => {
    const project = usageClient.newProject();
    const names = ['A', 'a', 'a ', 'e\u0301', 'é', '\ue000', '\u{10000}'];
    const entries = names.map((name, index) => [name, { prompt_tokens: 1 + index }] as const);
    await project.sendCompleteCalls({ id: 'a', usage: Object.fromEntries(entries.toReversed()) });
    const { call_usage } = await project.queryUsage(['a']);
    expect(
      Object.entries(call_usage['a'] ?? {}).map(([name, sums]) => [name, sums.prompt_tokens]),
    ).toEqual(entries.map(([name, { prompt_tokens }]) => [name, prompt_tokens]));
  });

  test('of several calls are summed model by model', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      { id: 'root', usage: { m: { prompt_tokens: 1, requests: 1 }, n: { output_tokens: 2 } } },
      { id: 'child', parent: 'root', usage: { n: { output_tokens: 20 }, o: { requests: 3 } } },
    );
    const { call_usage } = await project.queryUsage(['root']);
    const none = { prompt_tokens_total_cost: null, completion_tokens_total_cost: null };
    expect(call_usage).toEqual({
      root: {
        m: { requests: 1, prompt_tokens: 1, completion_tokens: 0, total_tokens: 1, ...none },
        n: {
          requests: 0,
          prompt_tokens: 0,
          completion_tokens: 2 + 20,
          total_tokens: 2 + 20,
          ...none,
        },
        o: { requests: 3, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, ...none },
      },
    });
  });
});

describe('sums', () => {
  const maxCount = Number.MAX_SAFE_INTEGER;

  test('beyond 2^53 are exact in the JSON text', async () => {
    const project = usageClient.newProject();
    const usage = {
      m: { prompt_tokens: maxCount, completion_tokens: maxCount, requests: maxCount },
    };
    await project.sendCompleteCalls({ id: 'a', usage }, { id: 'b', parent: 'a', usage });
    const { text } = await project.sendUsageRequest(['a', 'b']);
    // 2 × (2^53 - 1) and 4 × (2^53 - 1) are floats: JavaScript would not round them.
    const one = BigInt(maxCount);
    expect(text).toContain(
      `"a":{"m":{"requests":${2n * one},"prompt_tokens":${2n * one},"completion_tokens":${2n * one},"total_tokens":${4n * one},`,
    );
    // The two fields have an odd sum: 2^53 - 1 + 2 is 2^53 + 1, which is not a float.
    const odd = usageClient.newProject();
    const entry = { prompt_tokens: maxCount, input_tokens: 2 };
    await odd.sendCompleteCalls({ id: 'c', usage: { m: entry } });
    expect((await odd.sendUsageRequest(['c'])).text).toContain(`"prompt_tokens":${one + 2n},`);
  });

  test('beyond 64 bits do not wrap', async () => {
    const project = usageClient.newProject();
    // 2^64 / 2^53 is 2,048 calls; these are half as many more.
    const calls = 3_072;
    const entry = { prompt_tokens: maxCount, output_tokens: maxCount, requests: maxCount };
    const rows = Array.from({ length: calls }, (_, index) =>
      completeRow(project.id, {
        id: `call-${index}`,
        parent: index === 0 ? '' : 'call-0',
        usage: { m: entry },
      }),
    );
    await usageClient.clickhouse.insert('call_parts', rows);

    const answer = await project.sendUsageRequest(['call-0']);

    const sum = BigInt(calls) * BigInt(maxCount);
    expect(sum).toBeGreaterThan(2n ** 64n);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(
      `"m":{"requests":${sum},"prompt_tokens":${sum},"completion_tokens":${sum},"total_tokens":${2n * sum},`,
    );
  });
});

describe('limit', () => {
  /** A root with three children, and a second root without any. */
  const fourAndOne = async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      { id: 'root', usage: promptUsage(1) },
      ...['a', 'b', 'c'].map((id) => ({ id, parent: 'root', usage: promptUsage(10) })),
      { id: 'other', trace: 'other', usage: promptUsage(100) },
    );
    return project;
  };

  test('a request that touches as many calls as its limit is answered', async () => {
    const project = await fourAndOne();
    const answer = await project.queryUsage(['root', 'other'], { limit: 4 + 1 });
    expect(promptTokens(answer, 'root')).toBe(1 + 10 + 10 + 10);
    expect(promptTokens(answer, 'other')).toBe(100);
  });

  test('one more call is an error with both numbers, never a partial sum', async () => {
    const project = await fourAndOne();
    const answer = await project.sendUsageRequest(['root', 'other'], { limit: 4 });
    expect(answer.status).toBe(422);
    expect(answer.json()).toEqual({
      detail: [
        {
          loc: ['body', 'limit'],
          msg: 'The request touches 5 calls, which is more than its limit of 4',
          type: 'limit_exceeded',
        },
      ],
    });
  });

  test('a call counts once, however often it is requested, itself or by its ancestors', async () => {
    const project = await fourAndOne();
    const ids = ['root', 'a', 'a', 'b', 'root', 'c'];
    expect(promptTokens(await project.queryUsage(ids, { limit: 4 }), 'root')).toBe(
      1 + 10 + 10 + 10,
    );
    expect((await project.sendUsageRequest(ids, { limit: 3 })).text).toContain(' 4 calls');
  });

  test('a call of several models counts once', async () => {
    const project = usageClient.newProject();
    const models = ['m', 'n', 'o'].map((name) => [name, { prompt_tokens: 1 }] as const);
    await project.sendCompleteCalls({ id: 'a', usage: Object.fromEntries(models) });
    const { call_usage } = await project.queryUsage(['a'], { limit: 1, include_costs: true });
    expect(Object.keys(call_usage['a'] ?? {})).toEqual(['m', 'n', 'o']);
  });

  test('calls without usage count, unknown and deleted ones do not', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls(
      { id: 'a' },
      { id: 'b', parent: 'a' },
      { id: 'c', parent: 'a' },
    );
    await project.upsertBatch(project.startItem({ id: 'd', parent: 'a' }));
    await project.deleteCalls('c');
    const ids = ['a', 'c', 'unknown', 'never'];
    // a, b and d count.
    expect((await project.sendUsageRequest(ids, { limit: 2 })).text).toContain(' 3 calls');
    await project.queryUsage(ids, { limit: 3 });
  });

  test('calls of the same trace that are not descendants do not count', async () => {
    const project = await fourAndOne();
    await project.sendCompleteCalls({ id: 'second root', usage: promptUsage(1) });
    expect(promptTokens(await project.queryUsage(['a'], { limit: 1 }), 'a')).toBe(10);
  });

  test('is 10,000 by default', async () => {
    const project = usageClient.newProject();
    const rows = Array.from({ length: 10_001 }, (_, index) =>
      completeRow(project.id, {
        id: `call-${index}`,
        parent: index === 0 ? '' : index === 10_000 ? 'call-1' : 'call-0',
        usage: promptUsage(1),
      }),
    );
    await usageClient.clickhouse.insert('call_parts', rows);

    const answer = await project.sendUsageRequest(['call-0']);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('touches 10001 calls, which is more than its limit of 10000');
    // Without the last call and its parent, 9,999 remain.
    await project.deleteCalls('call-1');
    expect(promptTokens(await project.queryUsage(['call-0']), 'call-0')).toBe(10_001 - 2);
  });

  test.each([0, -1, -1e300])('less than 1 is refused: %d', async (limit) => {
    const answer = await usageClient.newProject().sendUsageRequest(['a'], { limit });
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({
      detail: [{ loc: ['body', 'limit'], type: 'greater_than_equal' }],
    });
  });

  test.each([Number.MAX_SAFE_INTEGER, 1e20, Number.MAX_VALUE])(
    'may be as large as the largest float: %d',
    async (limit) => {
      const project = await fourAndOne();
      expect(promptTokens(await project.queryUsage(['root'], { limit }), 'root')).toBe(
        1 + 10 + 10 + 10,
      );
    },
  );
});

describe('unfinished_call_ids', () => {
  test('are sorted by code point', async () => {
    const project = usageClient.newProject();
    const sorted = ['10', '9', 'Z', 'a', 'a\0', 'aa', 'b', 'é', '\ue000', '\u{10000}'];
    // JavaScript sorts by UTF-16 code units, which is another order.
    expect(sorted.toSorted()).not.toEqual(sorted);
    await project.upsertBatch(...sorted.toReversed().map((id) => project.startItem({ id })));
    expect((await project.queryUsage(sorted)).unfinished_call_ids).toEqual(sorted);
  });

  test('are those of counted calls only, each once', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(
      project.startItem({ id: 'root' }),
      project.startItem({ id: 'child', parent: 'root' }),
      project.startItem({ id: 'ended', parent: 'root' }),
      project.endItem({ id: 'ended' }),
      project.startItem({ id: 'deleted', parent: 'root' }),
      project.startItem({ id: 'child of the deleted', parent: 'deleted' }),
      project.startItem({ id: 'orphan', parent: 'missing' }),
      project.startItem({ id: 'other root' }),
      project.startItem({ id: 'other trace', trace: 'other' }),
      project.endItem({ id: 'only its end' }, { trace_id: 'trace' }),
    );
    await project.sendCompleteCalls({ id: 'whole', parent: 'root' });
    await project.deleteCalls('deleted');

    const callIds = ['root', 'child', 'root', 'deleted', 'unknown'];
    expect((await project.queryUsage(callIds)).unfinished_call_ids).toEqual(['child', 'root']);
    expect((await project.queryUsage(['child'])).unfinished_call_ids).toEqual(['child']);
    expect((await project.queryUsage(['ended', 'whole'])).unfinished_call_ids).toEqual([]);
  });

  test('contain a call of several models once', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(project.startItem({ id: 'root' }));
    await project.sendCompleteCalls(
      { id: 'a', parent: 'root', usage: { m: { requests: 1 }, n: { requests: 1 } } },
      { id: 'b', parent: 'root', usage: { m: { requests: 1 }, n: { requests: 1 } } },
    );
    expect((await project.queryUsage(['root'])).unfinished_call_ids).toEqual(['root']);
  });

  test('no longer contain a call that has ended', async () => {
    const project = usageClient.newProject();
    await project.upsertBatch(
      project.startItem({ id: 'root' }),
      project.startItem({ id: 'a', parent: 'root' }),
    );
    expect((await project.queryUsage(['root'])).unfinished_call_ids).toEqual(['a', 'root']);
    await project.upsertBatch(project.endItem({ id: 'a' }));
    expect((await project.queryUsage(['root'])).unfinished_call_ids).toEqual(['root']);
    await project.upsertBatch(project.endItem({ id: 'root' }, { trace_id: 'trace' }));
    expect((await project.queryUsage(['root'])).unfinished_call_ids).toEqual([]);
  });
});

describe('the literal contract', () => {
  const fields = (name: string): string[] =>
    Object.keys(contract.components.schemas[name]?.properties ?? {});

  test.each([false, true])('every field is there, with include_costs %s', async (include_costs) => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'a', usage: promptUsage(1) });
    await project.setPrices({ m: { prompt_token_cost: 0.005, completion_token_cost: 0.005 } });
    const answer = await project.queryUsage(['a'], { include_costs });
    expect(Object.keys(answer)).toEqual(fields('CallsUsageRes'));
    expect(Object.keys(answer.call_usage['a']?.['m'] ?? {})).toEqual(fields('LLMAggregatedUsage'));
  });

  test('an error is what it says of errors', async () => {
    const answer = await usageClient.newProject().sendUsageRequest(['a'], { limit: 0, extra: 1 });
    const { detail } = answer.json() as { detail: object[] };
    expect(detail).toHaveLength(2);
    for (const issue of detail) {
      expect(Object.keys(issue).sort()).toEqual(fields('ValidationError').sort());
    }
  });
});
