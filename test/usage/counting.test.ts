import { beforeAll, describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import type { UsageAnswer } from '../support/usage-client.ts';

/** Expected requests, prompt, completion and total tokens of a model. */
type Counts = readonly [number, number, number, number];

/** A call's `summary.usage` as JSON text, and the expected counts of each model. */
type Case = readonly [name: string, usage: string, Readonly<Record<string, Counts>>];

const fields: readonly (readonly [string, object, Counts])[] = [
  ['requests are requests', { requests: 3 }, [3, 0, 0, 0]],
  ['prompt tokens are prompt tokens', { prompt_tokens: 3 }, [0, 3, 0, 3]],
  ['input tokens are prompt tokens', { input_tokens: 3 }, [0, 3, 0, 3]],
  [
    'prompt and input tokens are added',
    { prompt_tokens: 3, input_tokens: 40 },
    [0, 3 + 40, 0, 3 + 40],
  ],
  ['completion tokens are completion tokens', { completion_tokens: 3 }, [0, 0, 3, 3]],
  ['output tokens are completion tokens', { output_tokens: 3 }, [0, 0, 3, 3]],
  [
    'completion and output tokens are added',
    { completion_tokens: 3, output_tokens: 40 },
    [0, 0, 3 + 40, 3 + 40],
  ],
  [
    'total tokens are the total, whatever the sum is',
    { prompt_tokens: 1, completion_tokens: 2, total_tokens: 100 },
    [0, 1, 2, 100],
  ],
  [
    'a total below prompt and completion is their sum',
    { prompt_tokens: 10, completion_tokens: 20, total_tokens: 5 },
    [0, 10, 20, 10 + 20],
  ],
  [
    'a total of 0 is prompt and completion',
    { prompt_tokens: 1, input_tokens: 2, output_tokens: 4, completion_tokens: 8, total_tokens: 0 },
    [0, 1 + 2, 4 + 8, 1 + 2 + 4 + 8],
  ],
  ['a total alone is the total', { total_tokens: 9 }, [0, 0, 0, 9]],
  ['counters of other names are ignored', { requests: 1, toks: 5, Prompt_tokens: 6 }, [1, 0, 0, 0]],
  ['text of digits is a counter', { prompt_tokens: '5' }, [0, 5, 0, 5]],
  [
    'more cached tokens than prompt tokens are beside the prompt',
    { prompt_tokens: 4, cache_read_input_tokens: 5, cache_creation_input_tokens: 6 },
    [0, 4 + 5 + 6, 0, 4 + 5 + 6],
  ],
  [
    'cached tokens are part of the prompt',
    { prompt_tokens: 10, cache_read_input_tokens: 4, cache_creation_input_tokens: 5 },
    [0, 10, 0, 10],
  ],
];

/** Prompt counters that are not token counts. */
const invalidCounts = [
  ['null', 'null'],
  ['negative', '-1'],
  ['a fraction', '1.5'],
  ['text with more than digits', '"5 "'],
  ['text of a fraction', '"5.0"'],
  ['text of 2^53', '"9007199254740992"'],
  ['a boolean', 'true'],
  ['a list', '[5]'],
  ['an object', '{"a":5}'],
  ['2^53', '9007199254740992'],
  ['2^64', '18446744073709551616'],
  ['10^30', '1e30'],
  ['infinite', '1e999'],
] as const;

const integers = [
  ['1.0', 1],
  ['1e3', 1_000],
  ['9007199254740991', 2 ** 53 - 1],
] as const;

const invalidEntries = ['null', '5', '"5"', 'true', '[]', '[{"prompt_tokens":5}]', '"{}"'];
const invalidUsages = ['null', '5', '"m"', 'true', '[]', '[{"m":{"prompt_tokens":5}}]', '{}'];
const unusedEntries = [
  '{}',
  '{"prompt_tokens":0,"total_tokens":0,"requests":0}',
  '{"prompt_tokens":-5,"completion_tokens":null}',
];

const manyModels = Array.from({ length: 1_000 }, (_, index) => `model-${index}`);
/** A second model, which must count as usual. */
const second = '"second":{"prompt_tokens":1}';
const secondCounts: Counts = [0, 1, 0, 1];

const cases: Case[] = [
  ...fields.map(([name, entry, counts]): Case => [
    name,
    JSON.stringify({ m: entry }),
    { m: counts },
  ]),
  ['a missing counter is 0', '{"m":{"output_tokens":7}}', { m: [0, 0, 7, 7] }],
  ...invalidCounts.map(([what, text]): Case => [
    `a counter that is ${what} is 0`,
    `{"m":{"prompt_tokens":${text},"output_tokens":7},${second}}`,
    { m: [0, 0, 7, 7], second: secondCounts },
  ]),
  ...integers.map(([text, number]): Case => [
    `${text} is an integer`,
    `{"m":{"prompt_tokens":${text}}}`,
    { m: [0, number, 0, number] },
  ]),
  ...invalidEntries.map((entry): Case => [
    `an entry that is not an object is skipped: ${entry}`,
    `{"m":${entry},${second}}`,
    { second: secondCounts },
  ]),
  ...invalidUsages.map((usage): Case => [
    `a usage that is not an object with entries is empty: ${usage}`,
    usage,
    {},
  ]),
  ...unusedEntries.map((entry): Case => [
    `a model whose four counts are 0 is left out: ${entry}`,
    `{"m":${entry},${second}}`,
    { second: secondCounts },
  ]),
  [
    'a call may have a thousand models',
    JSON.stringify(
      Object.fromEntries(manyModels.map((model, index) => [model, { prompt_tokens: 1 + index }])),
    ),
    Object.fromEntries(manyModels.map((model, index) => [model, [0, 1 + index, 0, 1 + index]])),
  ],
];

const usageClient = usageClientFixture();
let answer: UsageAnswer;
beforeAll(async () => {
  const project = usageClient.newProject();
  const calls = cases.map(([id, usage]) =>
    JSON.stringify(project.completeCall({ id, usage: 'HERE' })).replace('"HERE"', () => usage),
  );
  const path = `/v2/${project.id}/calls/complete`;
  const inserted = await usageClient.service.send(path, { body: `{"batch":[${calls.join(',')}]}` });
  expect(inserted.text).toBe('{}');
  answer = await project.queryUsage(cases.map(([id]) => id));
});

describe('counts of one call and model', () => {
  test.each(cases)('%s', (id, _, expected) => {
    const none = { prompt_tokens_total_cost: null, completion_tokens_total_cost: null };
    const entries = Object.entries(expected).map(
      ([model, [requests, prompt, completion, total]]) => [
        model,
        {
          requests,
          prompt_tokens: prompt,
          completion_tokens: completion,
          total_tokens: total,
          ...none,
        },
      ],
    );
    expect(answer.call_usage[id]).toEqual(Object.fromEntries(entries));
  });

  test('usage in inputs, attributes, outputs or a start is not counted', async () => {
    const project = usageClient.newProject();
    const usage = { m: { prompt_tokens: 5 } };
    const more = {
      summary: { usage },
      inputs: { usage },
      attributes: { usage, summary: { usage } },
    };
    await project.upsertBatch(
      project.startItem({ id: 'a' }, more),
      project.endItem({ id: 'a' }, { output: { usage } }),
    );
    expect((await project.queryUsage(['a'])).call_usage).toEqual({ a: {} });
  });
});
