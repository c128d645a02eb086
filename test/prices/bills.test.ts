import { describe, expect, test } from 'vitest';
import { type Project } from '../support/usage-client.ts';
import { usageClientFixture } from '../support/fixtures.ts';

// Bills computed by hand, in USD per million tokens (M), of the whole service with the price book that it loads. The
// prices are those of @pydantic/genai-prices 0.1.8, which names these pages as its sources (the pages were not read again
// for these tests):
//   OpenAI     https://openai.com/api/pricing/
//   Anthropic  https://www.anthropic.com/pricing#api
//   Google     https://ai.google.dev/gemini-api/docs/pricing
//   Mistral    https://mistral.ai/pricing/api
//   AWS        https://aws.amazon.com/bedrock/pricing/

const usageClient = usageClientFixture();

interface CallUsage {
  readonly at?: string;
  readonly model: string;
  readonly prompt?: number;
  readonly completion?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
}

/** Sends a trace whose root has one child for each usage, to a project of its own unless one is given. */
async function send(
  usages: readonly CallUsage[],
  project = usageClient.newProject(),
): Promise<Project> {
  const calls = usages.map(({ at, model, prompt, completion, cacheRead, cacheWrite }, index) => ({
    id: `call-${index}`,
    parent: 'root',
    ...(at === undefined ? {} : { startedAt: at }),
    usage: {
      [model]: {
        prompt_tokens: prompt ?? 0,
        completion_tokens: completion ?? 0,
        cache_read_input_tokens: cacheRead ?? 0,
        cache_creation_input_tokens: cacheWrite ?? 0,
      },
    },
  }));
  await project.sendCompleteCalls({ id: 'root', startedAt: '2020-01-01T00:00:00Z' }, ...calls);
  return project;
}

/** Reads what the trace cost: the prompt and the completion cost of each model, in USD. */
async function readBill(project: Project): Promise<Record<string, (number | null)[]>> {
  const answer = await project.queryUsage(['root'], { include_costs: true });
  const costs = Object.entries(answer.call_usage['root'] ?? {}).map(([model, sums]) => [
    model,
    [sums.prompt_tokens_total_cost, sums.completion_tokens_total_cost],
  ]);
  return Object.fromEntries(costs) as Record<string, (number | null)[]>;
}

async function billOf(...usages: readonly CallUsage[]): Promise<Record<string, (number | null)[]>> {
  return await readBill(await send(usages));
}

describe('a price without dates and tiers', () => {
  test('applies to prompt and completion: gpt-4o at 2.50 and 10.00', async () => {
    // 1,200 × 2.50/M = 0.003; 300 × 10/M = 0.003
    const usage = { model: 'gpt-4o', prompt: 1_200, completion: 300 };
    expect(await billOf(usage)).toEqual({ 'gpt-4o': [0.003, 0.003] });
  });

  test('of an embedding applies to the prompt only: 0.02', async () => {
    // 1,000,001 × 0.02/M = 0.02000002
    const model = 'text-embedding-3-small';
    expect(await billOf({ model, prompt: 1_000_001 })).toEqual({ [model]: [0.02000002, 0] });
  });

  test('applies to its own model among two in a trace', async () => {
    // gpt-4o-mini, 0.15 and 0.60: 10,000 × 0.15/M = 0.0015; 1,000 × 0.60/M = 0.0006, twice = 0.003 and 0.0012
    // claude-3-haiku, 0.25 and 1.25: 4,000 × 0.25/M = 0.001; 80 × 1.25/M = 0.0001
    const mini = { model: 'gpt-4o-mini', prompt: 10_000, completion: 1_000 };
    const haiku = { model: 'claude-3-haiku', prompt: 4_000, completion: 80 };
    expect(await billOf(mini, haiku, mini)).toEqual({
      'gpt-4o-mini': [0.003, 0.0012],
      'claude-3-haiku': [0.001, 0.0001],
    });
  });
});

describe('cached tokens', () => {
  test('included in the prompt of gpt-4o cost 1.25', async () => {
    // 2,000 of which 1,024 cached: 976 × 2.50/M = 0.00244; 1,024 × 1.25/M = 0.00128; together 0.00372
    const usage = { model: 'gpt-4o', prompt: 2_000, cacheRead: 1_024, completion: 0 };
    expect(await billOf(usage)).toEqual({ 'gpt-4o': [0.00372, 0] });
  });

  test('included in the prompt of gemini-2.5-flash cost 0.03, the others 0.30', async () => {
    // 10,000 of which 9,000 cached: 1,000 × 0.30/M = 0.0003; 9,000 × 0.03/M = 0.00027; 100 × 2.50/M = 0.00025
    const usage = { model: 'gemini-2.5-flash', prompt: 10_000, cacheRead: 9_000, completion: 100 };
    expect(await billOf(usage)).toEqual({ 'gemini-2.5-flash': [0.00057, 0.00025] });
  });

  test('excluded from the prompt of claude-sonnet-4-5, as Anthropic counts, are added to it', async () => {
    // 50 + 5,000 cache reads: all 50 are uncached: 50 × 3/M = 0.00015; 5,000 × 0.30/M = 0.0015; together 0.00165
    const usage = { model: 'claude-sonnet-4-5', prompt: 50, cacheRead: 5_000, completion: 10 };
    // 10 × 15/M = 0.00015
    expect(await billOf(usage)).toEqual({ 'claude-sonnet-4-5': [0.00165, 0.00015] });
  });

  test('of claude-haiku-4-5 cost 1.25 when written and 0.10 when read', async () => {
    // 9,000 of which 4,000 written and 3,000 read: 2,000 × 1/M = 0.002; 4,000 × 1.25/M = 0.005;
    // 3,000 × 0.10/M = 0.0003; together 0.0073
    const usage = { model: 'claude-haiku-4-5', prompt: 9_000, cacheWrite: 4_000, cacheRead: 3_000 };
    expect(await billOf(usage)).toEqual({ 'claude-haiku-4-5': [0.0073, 0] });
  });

  test('written by gpt-4o, which has no price for cache writes, cost the prompt price', async () => {
    // 1,000 of which 400 written: 600 × 2.50/M + 400 × 2.50/M = 0.0025
    const usage = { model: 'gpt-4o', prompt: 1_000, cacheWrite: 400 };
    expect(await billOf(usage)).toEqual({ 'gpt-4o': [0.0025, 0] });
  });
});

describe('a dated price', () => {
  test('applies from 00:00 UTC of its day: o3 became cheaper on 2025-06-10, during this trace', async () => {
    // The day before, 10 and 40: 1,000 × 10/M = 0.01; 100 × 40/M = 0.004.
    // From 00:00 UTC on, 2 and 8: 1,000 × 2/M = 0.002; 100 × 8/M = 0.0008. Together 0.012 and 0.0048.
    const usage = { model: 'o3', prompt: 1_000, completion: 100 };
    const bills = await billOf(
      { ...usage, at: '2025-06-09T23:59:59.999999Z' },
      { ...usage, at: '2025-06-10T00:00:00Z' },
    );
    expect(bills).toEqual({ o3: [0.012, 0.0048] });
  });

  test('applies from the day on which mistral-medium-latest became another version', async () => {
    // 2026-06-15: 1,000 × 0.40/M = 0.0004; 2026-06-16: 1,000 × 1.50/M = 0.0015; together 0.0019
    const usage = { model: 'mistral-medium-latest', prompt: 1_000 };
    const bills = await billOf(
      { ...usage, at: '2026-06-15T12:00:00Z' },
      { ...usage, at: '2026-06-16T12:00:00Z' },
    );
    expect(bills).toEqual({ 'mistral-medium-latest': [0.0019, 0] });
  });

  test('does not apply before its date: the announced price of gemini-3.6-flash for 2027', async () => {
    // 1,000,000 × 0.75/M = 0.75, not 1.50
    const usage = { model: 'gemini-3.6-flash', prompt: 1_000_000, at: '2026-12-31T23:59:59Z' };
    expect(await billOf(usage)).toEqual({ 'gemini-3.6-flash': [0.75, 0] });
  });

  test('is not needed: the undated price applies to calls of any time', async () => {
    // 1,000 × 2.50/M = 0.0025
    const usage = { model: 'gpt-4o', prompt: 1_000, at: '1970-01-02T00:00:00Z' };
    expect(await billOf(usage)).toEqual({ 'gpt-4o': [0.0025, 0] });
  });
});

describe('a tier', () => {
  test('applies to each call with more prompt tokens than its threshold, not to one with as many', async () => {
    // gemini-2.5-pro, 1.25 and 10, above 200,000 tokens 2.50 and 15:
    // 200,000 × 1.25/M = 0.25 and 1,000 × 10/M = 0.01; 200,001 × 2.50/M = 0.5000025 and 1,000 × 15/M = 0.015
    const usage = { model: 'gemini-2.5-pro', completion: 1_000 };
    const bills = await billOf({ ...usage, prompt: 200_000 }, { ...usage, prompt: 200_001 });
    expect(bills).toEqual({ 'gemini-2.5-pro': [0.7500025, 0.025] });
  });

  test('does not apply to a hundred calls below its threshold, whose sum is above', async () => {
    // claude-sonnet-4-5, 3 and 15: 100 × 150,000 × 3/M = 45; 100 × 10 × 15/M = 0.015
    const usage = { model: 'claude-sonnet-4-5', prompt: 150_000, completion: 10 };
    const bills = await billOf(...Array<CallUsage>(100).fill(usage));
    expect(bills).toEqual({ 'claude-sonnet-4-5': [45, 0.015] });
  });

  test('applies to cached tokens, too', async () => {
    // claude-sonnet-4-5 above 200,000: 6, 22.50, cache read 0.60, written 7.50.
    // 300,000 of which 200,000 read and 50,000 written: 50,000 × 6/M = 0.3; 200,000 × 0.60/M = 0.12;
    // 50,000 × 7.50/M = 0.375; together 0.795; 1,000 × 22.50/M = 0.0225
    const model = 'claude-sonnet-4-5';
    const usage = {
      model,
      prompt: 300_000,
      cacheRead: 200_000,
      cacheWrite: 50_000,
      completion: 1_000,
    };
    expect(await billOf(usage)).toEqual({ [model]: [0.795, 0.0225] });
  });

  test('ends with a later price that has none: claude-opus-4-6 from 2026-03-13', async () => {
    // The day before, above 200,000: 300,000 × 10/M = 3. From then on 5 at any size: 300,000 × 5/M = 1.5.
    const usage = { model: 'claude-opus-4-6', prompt: 300_000 };
    const bills = await billOf(
      { ...usage, at: '2026-03-12T12:00:00Z' },
      { ...usage, at: '2026-03-13T12:00:00Z' },
    );
    expect(bills).toEqual({ 'claude-opus-4-6': [4.5, 0] });
  });
});

describe('a price of the project', () => {
  test('applies from its date on, without the tiers of the price book', async () => {
    // Before: gemini-2.5-pro above 200,000: 300,000 × 2.50/M = 0.75. From 2026-02-01 on, 1/M: 0.3. Together 1.05.
    const model = 'gemini-2.5-pro';
    const project = usageClient.newProject();
    const price = { prompt_token_cost: 1e-6, completion_token_cost: 0 };
    await project.setPrices({ [model]: { ...price, effective_date: '2026-02-01T00:00:00Z' } });
    const usage = { model, prompt: 300_000 };
    await send(
      [
        { ...usage, at: '2026-01-31T23:00:00Z' },
        { ...usage, at: '2026-02-01T00:00:00Z' },
      ],
      project,
    );
    expect(await readBill(project)).toEqual({ [model]: [1.05, 0] });
  });

  test('takes precedence over the model of which its name is an alias, even before its date', async () => {
    const model = 'openai/gpt-4o-2024-08-06';
    const project = await send([{ model, prompt: 1_000 }]);
    // Alias of openai/gpt-4o: 1,000 × 2.50/M = 0.0025
    expect(await readBill(project)).toEqual({ [model]: [0.0025, 0] });
    const price = { prompt_token_cost: 7e-6, completion_token_cost: 0 };
    await project.setPrices({ [model]: { ...price, effective_date: '2099-01-01T00:00:00Z' } });
    // 1,000 × 7/M = 0.007
    expect(await readBill(project)).toEqual({ [model]: [0.007, 0] });
    expect(await readBill(await send([{ model, prompt: 1_000 }]))).toEqual({
      [model]: [0.0025, 0],
    });
  });
});

describe('a model name', () => {
  test('with a prefix, a date, a region or in capitals has the price of the model', async () => {
    // azure/gpt-4o-mini-2024-07-18, resold at OpenAI's 0.15: 1,000 × 0.15/M = 0.00015
    // us.anthropic.claude-sonnet-4-5…, 10 % above Anthropic's 3 on regional endpoints: 1,000 × 3.30/M = 0.0033
    // vertex_ai/claude-3-5-sonnet@20240620, 3: 1,000 × 3/M = 0.003;  GPT-4.1, 2: 1,000 × 2/M = 0.002
    const bills = await billOf(
      { model: 'azure/gpt-4o-mini-2024-07-18', prompt: 1_000 },
      { model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', prompt: 1_000 },
      { model: 'vertex_ai/claude-3-5-sonnet@20240620', prompt: 1_000 },
      { model: 'GPT-4.1', prompt: 1_000 },
    );
    expect(bills).toEqual({
      'azure/gpt-4o-mini-2024-07-18': [0.00015, 0],
      'us.anthropic.claude-sonnet-4-5-20250929-v1:0': [0.0033, 0],
      'vertex_ai/claude-3-5-sonnet@20240620': [0.003, 0],
      'GPT-4.1': [0.002, 0],
    });
  });

  test('that is an alias has the tiers and dates of the model', async () => {
    // gemini/gemini-2.5-pro: 200,000 × 1.25/M = 0.25; 400,000 × 2.50/M = 1. o3-2025-04-16, before 2025-06-10: 10/M.
    const bills = await billOf(
      { model: 'gemini/gemini-2.5-pro', prompt: 200_000 },
      { model: 'gemini/gemini-2.5-pro', prompt: 400_000 },
      { model: 'openai/o3-2025-04-16', prompt: 1_000, at: '2025-06-01T00:00:00Z' },
    );
    expect(bills).toEqual({
      'gemini/gemini-2.5-pro': [1.25, 0],
      'openai/o3-2025-04-16': [0.01, 0],
    });
  });

  test('that the price book does not know costs null, never 0, while others of the trace have a cost', async () => {
    // gpt-4o: 400 × 2.50/M = 0.001
    const bills = await billOf(
      { model: 'shop-triage-7b', prompt: 1_000 },
      { model: 'my-company/gpt-4o', prompt: 1_000 },
      { model: 'gpt-4o', prompt: 400 },
    );
    expect(bills).toEqual({
      'shop-triage-7b': [null, null],
      'my-company/gpt-4o': [null, null],
      'gpt-4o': [0.001, 0],
    });
  });

  test('that is an alias costs the same from the first answer on, and stores nothing', async () => {
    const model = 'gpt-4.1-mini-2025-04-14';
    const countRows = (): Promise<unknown[]> =>
      usageClient.clickhouse.query('SELECT count() FROM llm_token_prices');
    const before = await countRows();
    const project = await send([{ model, prompt: 1_000 }]);
    // 1,000 × 0.40/M
    for (let time = 0; time < 2; time += 1) {
      expect(await readBill(project)).toEqual({ [model]: [0.0004, 0] });
    }
    expect(await countRows()).toEqual(before);
  });
});
