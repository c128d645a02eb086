import { beforeAll, describe, expect, test } from 'vitest';
import { expectAnswer } from '../support/expect-answer.ts';
import { usageClientFixture } from '../support/fixtures.ts';
import { readText, tableOf } from '../support/markdown.ts';
import type { UsageAnswer } from '../support/usage-client.ts';
import { hosts } from './provider-usage/hosts.ts';
import { libraries } from './provider-usage/libraries.ts';
import { modelMakers } from './provider-usage/model-makers.ts';
import { usd } from './provider-usage/provider-usage.ts';

const usages = [...modelMakers, ...hosts, ...libraries];

const usageClient = usageClientFixture();

/** The prices of the table, as POST /cost/create takes them. */
const price = {
  prompt_token_cost: usd.prompt,
  cache_read_input_token_cost: usd.cacheRead,
  cache_creation_input_token_cost: usd.cacheWrite,
  cache_creation_1h_input_token_cost: usd.cacheWrite1h,
  audio_input_token_cost: usd.audioIn,
  completion_token_cost: usd.completion,
  audio_output_token_cost: usd.audioOut,
  effective_date: '2020-01-01T00:00:00Z',
};

let answer: UsageAnswer;

beforeAll(async () => {
  const project = usageClient.newProject();
  await project.setPrices(Object.fromEntries(usages.map(({ model }) => [model, price])));
  await project.sendCompleteCalls(
    ...usages.map(({ provider, model, usage }) => ({
      id: provider,
      trace: provider,
      usage: { [model]: { requests: 1, ...usage } },
    })),
  );
  const ids = usages.map(({ provider }) => provider);
  answer = await project.queryUsage(ids, { include_costs: true });
});

describe('the usage object of', () => {
  test.each(usages)('$provider is counted and priced as its API means it', (expected) => {
    const { provider, model, prompt, completion, total = prompt + completion } = expected;
    expect(Object.keys(answer.call_usage[provider] ?? {})).toEqual([model]);
    expectAnswer(answer.call_usage[provider]?.[model], {
      requests: 1,
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: total,
      prompt_tokens_total_cost: expected.promptCost,
      completion_tokens_total_cost: expected.completionCost,
    });
  });
});

test('every documented provider has a usage object here, and every one here is documented', () => {
  const documented = tableOf(readText('docs/usage-fields.md'), 'provider').map(([name]) => name);
  expect(documented.length).toBeGreaterThan(35);
  expect(usages.map(({ provider }) => provider).sort()).toEqual(documented.sort());
});
