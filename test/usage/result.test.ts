import { beforeAll, describe, expect, test } from 'vitest';
import { wholeRow } from '../support/part-rows.ts';
import { type Answer, contract, promptTokens, spent } from '../support/usage-client.ts';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

describe('result keys', () => {
  /** The ids of an answer as they stand in its text; objects sort integers by themselves. */
  const idsIn = (text: string): string[] =>
    [...text.matchAll(/"([^"]*)":\{(?=\}|"m")/g)].map(([, id = '']) => id);

  test('every distinct id has its key, in the order of the request', async () => {
    const project = usageClient.newProject();
    const ids = ['b', '10', 'a', '9', 'c'];
    await project.complete(...ids.map((id) => ({ id, usage: spent(1) })));

    const answer = await project.send(['b', '10', 'unknown', 'a', 'b', '9', 'a', 'c', '10']);

    expect(idsIn(answer.text)).toEqual(['b', '10', 'unknown', 'a', '9', 'c']);
  });

  test('unknown, deleted and usage-less ids map to {}', async () => {
    const project = usageClient.newProject();
    await project.complete({ id: 'deleted', usage: spent(1) }, { id: 'no usage' });
    await project.upsert(project.start({ id: 'running' }));
    await project.remove('deleted');

    const { call_usage } = await project.ask(['unknown', 'deleted', 'no usage', 'running', '']);

    expect(call_usage).toEqual({ unknown: {}, deleted: {}, 'no usage': {}, running: {}, '': {} });
  });

  test('an id of which only the end has come is unknown', async () => {
    const project = usageClient.newProject();
    await project.upsert(
      project.end({ id: 'loose', usage: spent(1) }),
      project.end({ id: 'placed', usage: spent(1) }, { trace_id: 'trace' }),
    );
    const answer = await project.ask(['loose', 'placed']);
    expect(answer).toEqual({ call_usage: { loose: {}, placed: {} }, unfinished_call_ids: [] });
  });

  test('no ids are 200 with empty maps', async () => {
    const answer = await usageClient.newProject().send([]);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"call_usage":{},"unfinished_call_ids":[]}');
  });

  test('a project that nobody has heard of has no calls', async () => {
    const answer = await usageClient.newProject().ask(['a'], { include_costs: true });
    expect(answer).toEqual({ call_usage: { a: {} }, unfinished_call_ids: [] });
  });
});

describe('models', () => {
  const names = [
    ...['', ' ', 'GPT-4o', 'gpt-4o ', 'openai/gpt-4o', 'ft:gpt-4o:org::id', '1', '__proto__'],
    ...['constructor', '"quoted"', 'back\\slash', 'line\nbreak', 'nul\0', '\u{1f600}', '\ufeff'],
    ...['e\u0301', 'é', '{', '\u2028', "it's", 'null', 'x'.repeat(4_096)],
  ];
  let answer: Answer;
  beforeAll(async () => {
    const project = usageClient.newProject();
    const calls = names.map((name, index) => ({
      id: `call-${index}`,
      usage: JSON.parse(`{${JSON.stringify(name)}:{"prompt_tokens":3}}`) as object,
    }));
    await project.complete(...calls);
    answer = await project.ask(calls.map(({ id }) => id));
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
    await project.complete({ id: 'a', usage: Object.fromEntries(entries.toReversed()) });
    const { call_usage } = await project.ask(['a']);
    expect(
      Object.entries(call_usage['a'] ?? {}).map(([name, sums]) => [name, sums.prompt_tokens]),
    ).toEqual(entries.map(([name, { prompt_tokens }]) => [name, prompt_tokens]));
  });

  test('of several calls are added up one by one', async () => {
    const project = usageClient.newProject();
    await project.complete(
      { id: 'root', usage: { m: { prompt_tokens: 1, requests: 1 }, n: { output_tokens: 2 } } },
      { id: 'child', parent: 'root', usage: { n: { output_tokens: 20 }, o: { requests: 3 } } },
    );
    const { call_usage } = await project.ask(['root']);
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
  const most = Number.MAX_SAFE_INTEGER;

  test('beyond 2^53 are exact in the JSON text', async () => {
    const project = usageClient.newProject();
    const usage = { m: { prompt_tokens: most, completion_tokens: most, requests: most } };
    await project.complete({ id: 'a', usage }, { id: 'b', parent: 'a', usage });
    const { text } = await project.send(['a', 'b']);
    // Twice 2^53 - 1 is even, and twice that again 2^55 - 4: neither is a number that JavaScript would round.
    const one = BigInt(most);
    expect(text).toContain(
      `"a":{"m":{"requests":${2n * one},"prompt_tokens":${2n * one},"completion_tokens":${2n * one},"total_tokens":${4n * one},`,
    );
    // The synonyms make an odd sum: 2^53 - 1 + 2 is 2^53 + 1, which no number can hold.
    const odd = usageClient.newProject();
    const entry = { prompt_tokens: most, input_tokens: 2 };
    await odd.complete({ id: 'c', usage: { m: entry } });
    expect((await odd.send(['c'])).text).toContain(`"prompt_tokens":${one + 2n},`);
  });

  test('beyond 64 bits do not wrap', async () => {
    const project = usageClient.newProject();
    // 2^64 / 2^53 is 2,048 calls; half as many again.
    const calls = 3_072;
    const entry = { prompt_tokens: most, output_tokens: most, requests: most };
    const rows = Array.from({ length: calls }, (_, index) =>
      wholeRow(project.id, {
        id: `call-${index}`,
        parent: index === 0 ? '' : 'call-0',
        usage: { m: entry },
      }),
    );
    await usageClient.clickhouse.insert('call_parts', rows);

    const answer = await project.send(['call-0']);

    const sum = BigInt(calls) * BigInt(most);
    expect(sum).toBeGreaterThan(2n ** 64n);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(
      `"m":{"requests":${sum},"prompt_tokens":${sum},"completion_tokens":${sum},"total_tokens":${2n * sum},`,
    );
  });
});

describe('limit', () => {
  /** A root with three children, a second root alone. */
  const fourAndOne = async () => {
    const project = usageClient.newProject();
    await project.complete(
      { id: 'root', usage: spent(1) },
      ...['a', 'b', 'c'].map((id) => ({ id, parent: 'root', usage: spent(10) })),
      { id: 'other', trace: 'other', usage: spent(100) },
    );
    return project;
  };

  test('as many calls as the limit are answered', async () => {
    const project = await fourAndOne();
    const answer = await project.ask(['root', 'other'], { limit: 4 + 1 });
    expect(promptTokens(answer, 'root')).toBe(1 + 10 + 10 + 10);
    expect(promptTokens(answer, 'other')).toBe(100);
  });

  test('one more is an error with both numbers in it, never a partial sum', async () => {
    const project = await fourAndOne();
    const answer = await project.send(['root', 'other'], { limit: 4 });
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

  test('a call counts once, however often it is asked for and whatever it stands below', async () => {
    const project = await fourAndOne();
    const ids = ['root', 'a', 'a', 'b', 'root', 'c'];
    expect(promptTokens(await project.ask(ids, { limit: 4 }), 'root')).toBe(1 + 10 + 10 + 10);
    expect((await project.send(ids, { limit: 3 })).text).toContain(' 4 calls');
  });

  test('a call of several models counts once', async () => {
    const project = usageClient.newProject();
    const models = ['m', 'n', 'o'].map((name) => [name, { prompt_tokens: 1 }] as const);
    await project.complete({ id: 'a', usage: Object.fromEntries(models) });
    const { call_usage } = await project.ask(['a'], { limit: 1, include_costs: true });
    expect(Object.keys(call_usage['a'] ?? {})).toEqual(['m', 'n', 'o']);
  });

  test('calls without usage count, unknown and deleted ones do not', async () => {
    const project = usageClient.newProject();
    await project.complete({ id: 'a' }, { id: 'b', parent: 'a' }, { id: 'c', parent: 'a' });
    await project.upsert(project.start({ id: 'd', parent: 'a' }));
    await project.remove('c');
    const ids = ['a', 'c', 'unknown', 'never'];
    // Left are a, b and d.
    expect((await project.send(ids, { limit: 2 })).text).toContain(' 3 calls');
    await project.ask(ids, { limit: 3 });
  });

  test('calls of the same trace that are no descendants do not count', async () => {
    const project = await fourAndOne();
    await project.complete({ id: 'second root', usage: spent(1) });
    expect(promptTokens(await project.ask(['a'], { limit: 1 }), 'a')).toBe(10);
  });

  test('is 10,000 where the request does not say', async () => {
    const project = usageClient.newProject();
    const rows = Array.from({ length: 10_001 }, (_, index) =>
      wholeRow(project.id, {
        id: `call-${index}`,
        parent: index === 0 ? '' : index === 10_000 ? 'call-1' : 'call-0',
        usage: spent(1),
      }),
    );
    await usageClient.clickhouse.insert('call_parts', rows);

    const answer = await project.send(['call-0']);
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('touches 10001 calls, which is more than its limit of 10000');
    // Without the last call, and its parent with it, 9,999 are left.
    await project.remove('call-1');
    expect(promptTokens(await project.ask(['call-0']), 'call-0')).toBe(10_001 - 2);
  });

  test.each([0, -1, -1e300])('below 1 is refused: %d', async (limit) => {
    const answer = await usageClient.newProject().send(['a'], { limit });
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({
      detail: [{ loc: ['body', 'limit'], type: 'greater_than_equal' }],
    });
  });

  test.each([Number.MAX_SAFE_INTEGER, 1e20, Number.MAX_VALUE])(
    'may be as large as a number gets: %d',
    async (limit) => {
      const project = await fourAndOne();
      expect(promptTokens(await project.ask(['root'], { limit }), 'root')).toBe(1 + 10 + 10 + 10);
    },
  );
});

describe('unfinished_call_ids', () => {
  test('are sorted by code point', async () => {
    const project = usageClient.newProject();
    const sorted = ['10', '9', 'Z', 'a', 'a\0', 'aa', 'b', 'é', '\ue000', '\u{10000}'];
    // The order of UTF-16, in which JavaScript sorts, is another one.
    expect(sorted.toSorted()).not.toEqual(sorted);
    await project.upsert(...sorted.toReversed().map((id) => project.start({ id })));
    expect((await project.ask(sorted)).unfinished_call_ids).toEqual(sorted);
  });

  test('are those of counted calls alone, each once', async () => {
    const project = usageClient.newProject();
    await project.upsert(
      project.start({ id: 'root' }),
      project.start({ id: 'child', parent: 'root' }),
      project.start({ id: 'ended', parent: 'root' }),
      project.end({ id: 'ended' }),
      project.start({ id: 'deleted', parent: 'root' }),
      project.start({ id: 'below the deleted', parent: 'deleted' }),
      project.start({ id: 'orphan', parent: 'never came' }),
      project.start({ id: 'other root' }),
      project.start({ id: 'other trace', trace: 'other' }),
      project.end({ id: 'only its end' }, { trace_id: 'trace' }),
    );
    await project.complete({ id: 'whole', parent: 'root' });
    await project.remove('deleted');

    const asked = ['root', 'child', 'root', 'deleted', 'unknown'];
    expect((await project.ask(asked)).unfinished_call_ids).toEqual(['child', 'root']);
    expect((await project.ask(['child'])).unfinished_call_ids).toEqual(['child']);
    expect((await project.ask(['ended', 'whole'])).unfinished_call_ids).toEqual([]);
  });

  test('name a call of several models once', async () => {
    const project = usageClient.newProject();
    await project.upsert(project.start({ id: 'root' }));
    await project.complete(
      { id: 'a', parent: 'root', usage: { m: { requests: 1 }, n: { requests: 1 } } },
      { id: 'b', parent: 'root', usage: { m: { requests: 1 }, n: { requests: 1 } } },
    );
    expect((await project.ask(['root'])).unfinished_call_ids).toEqual(['root']);
  });

  test('no longer name a call that has ended', async () => {
    const project = usageClient.newProject();
    await project.upsert(project.start({ id: 'root' }), project.start({ id: 'a', parent: 'root' }));
    expect((await project.ask(['root'])).unfinished_call_ids).toEqual(['a', 'root']);
    await project.upsert(project.end({ id: 'a' }));
    expect((await project.ask(['root'])).unfinished_call_ids).toEqual(['root']);
    await project.upsert(project.end({ id: 'root' }, { trace_id: 'trace' }));
    expect((await project.ask(['root'])).unfinished_call_ids).toEqual([]);
  });
});

describe('the literal contract', () => {
  const fields = (name: string): string[] =>
    Object.keys(contract.components.schemas[name]?.properties ?? {});

  test.each([false, true])('every field is there, with include_costs %s', async (include_costs) => {
    const project = usageClient.newProject();
    await project.complete({ id: 'a', usage: spent(1) });
    await project.price({ m: { prompt_token_cost: 0.5, completion_token_cost: 0.5 } });
    const answer = await project.ask(['a'], { include_costs });
    expect(Object.keys(answer)).toEqual(fields('CallsUsageRes'));
    expect(Object.keys(answer.call_usage['a']?.['m'] ?? {})).toEqual(fields('LLMAggregatedUsage'));
  });

  test('an error is what it says of errors', async () => {
    const answer = await usageClient.newProject().send(['a'], { limit: 0, extra: 1 });
    const { detail } = answer.json() as { detail: object[] };
    expect(detail).toHaveLength(2);
    for (const issue of detail) {
      expect(Object.keys(issue).sort()).toEqual(fields('ValidationError').sort());
    }
  });
});
