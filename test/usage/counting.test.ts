import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Asking, openAsking } from './asking.ts';

let asking: Asking;
beforeAll(async () => {
  asking = await openAsking();
});
afterAll(() => asking.close());

/** What the answer says of one call whose `summary.usage` is the JSON text given; no costs. */
async function sumsOf(usage: string): Promise<object> {
  const project = asking.newProject();
  const { batch } = { batch: [project.whole({ id: 'a', usage: 'HERE' })] };
  const answer = await asking.service.send(`/v2/${project.id}/calls/complete`, {
    body: JSON.stringify({ batch }).replace('"HERE"', usage),
  });
  expect(answer.text).toBe('{}');
  const { call_usage } = await project.ask(['a']);
  const models = Object.entries(call_usage['a'] ?? {}).map(([model, sums]) => {
    const { prompt_tokens_total_cost, completion_tokens_total_cost, ...counters } = sums;
    expect([prompt_tokens_total_cost, completion_tokens_total_cost]).toEqual([null, null]);
    return [model, Object.values(counters)] as const;
  });
  return Object.fromEntries(models);
}

/** Expected sums: requests, prompt, completion, total. */
type Expected = readonly [number, number, number, number];

describe('per call and model', () => {
  test.each<[string, object, Expected]>([
    ['requests are requests', { requests: 3 }, [3, 0, 0, 0]],
    ['prompt tokens are prompt tokens', { prompt_tokens: 3 }, [0, 3, 0, 3]],
    ['input tokens are prompt tokens', { input_tokens: 3 }, [0, 3, 0, 3]],
    ['prompt and input tokens are added', { prompt_tokens: 3, input_tokens: 40 }, [0, 43, 0, 43]],
    ['completion tokens are completion tokens', { completion_tokens: 3 }, [0, 0, 3, 3]],
    ['output tokens are completion tokens', { output_tokens: 3 }, [0, 0, 3, 3]],
    [
      'completion and output tokens are added',
      { completion_tokens: 3, output_tokens: 40 },
      [0, 0, 3 + 40, 3 + 40],
    ],
    [
      'the total is what it says, whatever the sum is',
      { prompt_tokens: 1, completion_tokens: 2, total_tokens: 100 },
      [0, 1, 2, 100],
    ],
    [
      'the total may be less than the sum',
      { prompt_tokens: 10, completion_tokens: 20, total_tokens: 5 },
      [0, 10, 20, 5],
    ],
    [
      'a total of 0 is prompt and completion',
      {
        prompt_tokens: 1,
        input_tokens: 2,
        output_tokens: 4,
        completion_tokens: 8,
        total_tokens: 0,
      },
      [0, 1 + 2, 4 + 8, 1 + 2 + 4 + 8],
    ],
    ['a total alone is the total', { total_tokens: 9 }, [0, 0, 0, 9]],
    [
      'counters of other names are ignored',
      { requests: 1, tokens: 5, Prompt_tokens: 6 },
      [1, 0, 0, 0],
    ],
    [
      'cached tokens are in the prompt already',
      { prompt_tokens: 10, cache_read_input_tokens: 4, cache_creation_input_tokens: 5 },
      [0, 10, 0, 10],
    ],
  ])('%s', async (_, usage, expected) => {
    expect(await sumsOf(JSON.stringify({ m: usage }))).toEqual({ m: expected });
  });

  test.each([
    ['missing', '{}'],
    ['null', '{"prompt_tokens":null}'],
    ['negative', '{"prompt_tokens":-1}'],
    ['a fraction', '{"prompt_tokens":1.5}'],
    ['a string', '{"prompt_tokens":"5"}'],
    ['a boolean', '{"prompt_tokens":true}'],
    ['a list', '{"prompt_tokens":[5]}'],
    ['an object', '{"prompt_tokens":{"a":5}}'],
    ['2^53', '{"prompt_tokens":9007199254740992}'],
    ['2^64', '{"prompt_tokens":18446744073709551616}'],
    ['beyond all numbers', '{"prompt_tokens":1e999}'],
  ])('a number that is %s is 0', async (_, entry) => {
    const usage = `{"m":${entry},"beside":{"prompt_tokens":1}}`;
    expect(await sumsOf(usage)).toEqual({ beside: [0, 1, 0, 1] });
    const withOther = entry.replace(/\}$/, `${entry === '{}' ? '' : ','}"output_tokens":7}`);
    expect(await sumsOf(`{"m":${withOther}}`)).toEqual({ m: [0, 0, 7, 7] });
  });

  test.each([
    ['1.0', 1],
    ['1e3', 1_000],
    ['9007199254740991', 2 ** 53 - 1],
  ])('%s is the integer that it is', async (text, expected) => {
    expect(await sumsOf(`{"m":{"prompt_tokens":${text}}}`)).toEqual({
      m: [0, expected, 0, expected],
    });
  });

  test.each(['null', '5', '"5"', 'true', '[]', '[{"prompt_tokens":5}]', '"{}"'])(
    'an entry that is no object is skipped: %s',
    async (entry) => {
      const usage = `{"m":${entry},"beside":{"prompt_tokens":1}}`;
      expect(await sumsOf(usage)).toEqual({ beside: [0, 1, 0, 1] });
    },
  );

  test.each(['null', '5', '"m"', 'true', '[]', '[{"m":{"prompt_tokens":5}}]', '{}'])(
    'a usage without entries is none: %s',
    async (usage) => {
      expect(await sumsOf(usage)).toEqual({});
    },
  );

  test.each([
    {},
    { prompt_tokens: 0, total_tokens: 0, requests: 0 },
    { cache_read_input_tokens: 5, cache_creation_input_tokens: 6 },
    { prompt_tokens: -5, completion_tokens: null },
  ])('a model whose four sums are all 0 is left out: %j', async (entry) => {
    const usage = { m: entry, beside: { prompt_tokens: 1 } };
    expect(await sumsOf(JSON.stringify(usage))).toEqual({ beside: [0, 1, 0, 1] });
  });

  test('a call may use many models', async () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `model-${index}`);
    const entries = names.map((name, index) => [name, { requests: 1, prompt_tokens: index }]);
    const usage = JSON.stringify(Object.fromEntries(entries));
    expect(await sumsOf(usage)).toEqual(
      Object.fromEntries(names.map((name, index) => [name, [1, index, 0, index]])),
    );
  });

  test('the start’s own summary, inputs and attributes are no usage', async () => {
    const project = asking.newProject();
    const usage = { m: { prompt_tokens: 5 } };
    const more = {
      summary: { usage },
      inputs: { usage },
      attributes: { usage, summary: { usage } },
    };
    await project.upsert(
      project.start({ id: 'a' }, more),
      project.end({ id: 'a' }, { output: { usage } }),
    );
    expect((await project.ask(['a'])).call_usage).toEqual({ a: {} });
  });
});
