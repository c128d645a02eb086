import { describe, expect, test } from 'vitest';
import { type UsageAnswer } from '../support/usage-client.ts';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

/** Prompt and completion cost of a model in an answer. */
function costsOf(answer: UsageAnswer, callId = 'a', model = 'm'): (number | null | undefined)[] {
  const sums = answer.call_usage[callId]?.[model];
  return [sums?.prompt_tokens_total_cost, sums?.completion_tokens_total_cost];
}

const withCosts = { include_costs: true };

describe('include_costs', () => {
  const usage = { m: { prompt_tokens: 3, completion_tokens: 4 }, free: { prompt_tokens: 5 } };
  const costs = { m: { prompt_token_cost: 0.005, completion_token_cost: 0.002 } };

  test.each([[{}], [{ include_costs: false }]])('%j leaves both cost fields null', async (more) => {
    const project = usageClient.newProject();
    await project.setPrices(costs);
    await project.sendCompleteCalls({ id: 'a', usage });
    expect(costsOf(await project.queryUsage(['a'], more))).toEqual([null, null]);
  });

  test('true charges each token at its price', async () => {
    const project = usageClient.newProject();
    await project.setPrices(costs);
    await project.sendCompleteCalls({ id: 'a', usage });
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual([3 * 0.005, 4 * 0.002]);
  });

  test('a model without any price costs null, never 0, next to one with a price', async () => {
    const project = usageClient.newProject();
    await project.setPrices(costs);
    await project.sendCompleteCalls({ id: 'a', usage });
    expect(costsOf(await project.queryUsage(['a'], withCosts), 'a', 'free')).toEqual([null, null]);
  });

  test('a price of 0 makes a cost of 0, not null', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { prompt_token_cost: 0, completion_token_cost: 0 } });
    await project.sendCompleteCalls({ id: 'a', usage });
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual([0, 0]);
  });

  test('costs of descendants count in their ancestors, requested or not', async () => {
    const project = usageClient.newProject();
    await project.setPrices(costs);
    await project.sendCompleteCalls(
      { id: 'a', usage: { m: { prompt_tokens: 1 } } },
      { id: 'b', parent: 'a', usage: { m: { prompt_tokens: 10, completion_tokens: 1 } } },
      { id: 'c', parent: 'b', usage: { m: { prompt_tokens: 100 } } },
    );
    const both = await project.queryUsage(['b', 'a'], withCosts);
    expect(costsOf(both, 'a')).toEqual([(1 + 10 + 100) * 0.005, 1 * 0.002]);
    expect(costsOf(both, 'b')).toEqual([(10 + 100) * 0.005, 1 * 0.002]);
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual([
      (1 + 10 + 100) * 0.005,
      1 * 0.002,
    ]);
  });
});

describe('arithmetic', () => {
  test('is exact and decimal: three tokens at 0.003 are 0.009', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { prompt_token_cost: 0.003, completion_token_cost: 0.009 } });
    await project.sendCompleteCalls({
      id: 'a',
      usage: { m: { prompt_tokens: 3, completion_tokens: 3 } },
    });
    expect([3 * 0.003, 3 * 0.009]).not.toEqual([0.009, 0.027]);
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual([0.009, 0.027]);
  });

  test('is rounded once, in the answer: a thousand calls and nesting add no error', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { prompt_token_cost: 1.1e-7, completion_token_cost: 3e-7 } });
    const usage = { m: { prompt_tokens: 1, completion_tokens: 1 } };
    const ids = Array.from({ length: 1_000 }, (_, index) => `call-${index}`);
    await project.sendCompleteCalls(
      { id: 'a', usage },
      ...ids.map((id, index) => ({ id, parent: index === 0 ? 'a' : `call-${index - 1}`, usage })),
    );
    // 1,001 tokens at 1.1e-7 and at 3e-7, as decimals: 1001 × 11 and 1001 × 30 of 1e-8 each.
    const expected = [Number(`${1_001 * 11}e-8`), Number(`${1_001 * 30}e-8`)];
    let sum = 0;
    for (let calls = 0; calls < 1_001; calls += 1) sum += 1.1e-7;
    expect(sum).not.toBe(expected[0]);
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual(expected);
    expect(costsOf(await project.queryUsage(['a', ...ids], withCosts))).toEqual(expected);
  });

  test('is exact for the largest sums at the highest and at the smallest price', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { prompt_token_cost: 0.01, completion_token_cost: 1e-30 } });
    const most = 2 ** 53 - 1;
    const usage = { m: { prompt_tokens: most, completion_tokens: most } };
    const ids = Array.from({ length: 3_000 }, (_, index) => `call-${index}`);
    await project.sendCompleteCalls(
      { id: 'a', usage },
      ...ids.slice(1).map((id) => ({ id, parent: 'a', usage })),
    );
    const sum = 3_000n * BigInt(most);
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual([
      Number(`${sum}e-2`),
      Number(`${sum}e-30`),
    ]);
  });
});

describe('prompt cost', () => {
  const price = { prompt_token_cost: 0.001, completion_token_cost: 0.005 };
  const cachePrices = {
    cache_read_input_token_cost: 0.0002,
    cache_creation_input_token_cost: 0.003,
  };
  const cached = (read: number, creation: number) => ({
    cache_read_input_tokens: read,
    cache_creation_input_tokens: creation,
  });
  /** An exact sum of [tokens, price in ten-thousandths]. */
  const sumOf = (...items: [number, number][]): number =>
    Number(
      `${items.reduce((sum, [tokens, tenThousandths]) => sum + tokens * tenThousandths, 0)}e-4`,
    );

  test.each<[string, object, object, number]>([
    [
      'charges cached tokens at their own prices and the rest at the prompt price',
      { prompt_tokens: 100, ...cached(30, 20) },
      cachePrices,
      // 100 - 30 - 20 uncached tokens
      sumOf([100 - 30 - 20, 10], [30, 2], [20, 30]),
    ],
    [
      'charges no token as uncached if all are cached',
      { prompt_tokens: 50, ...cached(30, 20) },
      cachePrices,
      sumOf([30, 2], [20, 30]),
    ],
    [
      'charges the whole prompt if there are more cached tokens: they are not part of it',
      { prompt_tokens: 49, ...cached(30, 20) },
      cachePrices,
      sumOf([49, 10], [30, 2], [20, 30]),
    ],
    [
      'reads input tokens as prompt, and cached ones from prompt_tokens_details',
      { input_tokens: 100, prompt_tokens_details: { cached_tokens: 30 } },
      cachePrices,
      sumOf([100 - 30, 10], [30, 2]),
    ],
    [
      'falls back to the prompt price for missing cache prices',
      { prompt_tokens: 100, ...cached(30, 20) },
      {},
      sumOf([100, 10]),
    ],
    [
      'falls back to the prompt price for a missing read price',
      { prompt_tokens: 100, ...cached(30, 20) },
      { cache_creation_input_token_cost: 0.003 },
      sumOf([100 - 30 - 20, 10], [30, 10], [20, 30]),
    ],
    [
      'falls back to the prompt price for a null creation price',
      { prompt_tokens: 100, ...cached(30, 20) },
      { cache_read_input_token_cost: 0.0002, cache_creation_input_token_cost: null },
      sumOf([100 - 30 - 20, 10], [30, 2], [20, 10]),
    ],
    [
      'uses a cache price of 0',
      { prompt_tokens: 100, ...cached(30, 20) },
      { cache_read_input_token_cost: 0, cache_creation_input_token_cost: 0 },
      sumOf([100 - 30 - 20, 10]),
    ],
  ])('%s', async (_, usage, cacheCosts, expected) => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { ...price, ...cacheCosts } });
    await project.sendCompleteCalls({ id: 'a', usage: { m: usage } });
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual([expected, 0]);
  });

  test('and completion cost do not depend on total tokens', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { ...price, ...cachePrices } });
    const usage = {
      m: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 9_999, ...cached(30, 20) },
    };
    await project.sendCompleteCalls({ id: 'a', usage });
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual([
      sumOf([100 - 30 - 20, 10], [30, 2], [20, 30]),
      7 * 0.005,
    ]);
  });

  test('subtracts cached tokens per call, not from the sum', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { ...price, ...cachePrices } });
    await project.sendCompleteCalls(
      { id: 'a', usage: { m: { prompt_tokens: 1_000 } } },
      // 10 - 30 is negative: all 10 are uncached.
      { id: 'b', parent: 'a', usage: { m: { prompt_tokens: 10, ...cached(30, 0) } } },
    );
    expect(costsOf(await project.queryUsage(['a'], withCosts))).toEqual([
      sumOf([1_000, 10], [10, 10], [30, 2]),
      0,
    ]);
  });
});

describe('the price of a call', () => {
  const at = (effective_date: string, prompt_token_cost: number) => ({
    m: { effective_date, prompt_token_cost, completion_token_cost: 0 },
  });
  const usage = { m: { prompt_tokens: 1 } };

  test('is the one in force when it started, also within one answer and one trace', async () => {
    const project = usageClient.newProject();
    await project.setPrices(at('2026-01-01T00:00:00Z', 1e-4));
    await project.setPrices(at('2026-02-01T00:00:00Z', 1e-3));
    await project.setPrices(at('2026-03-01T00:00:00Z', 1e-2));
    await project.sendCompleteCalls(
      // Before the first date, the first price applies.
      { id: 'a', startedAt: '2025-12-31T23:59:59.999999Z', usage },
      { id: 'b', parent: 'a', startedAt: '2026-01-31T23:59:59.999999Z', usage },
      { id: 'c', parent: 'b', startedAt: '2026-02-01T00:00:00Z', usage },
      { id: 'd', parent: 'a', startedAt: '2026-03-01T00:59:59.999999+01:00', usage },
      { id: 'e', parent: 'a', startedAt: '2026-03-01T01:00:00+01:00', usage },
    );
    const answer = await project.queryUsage(['a', 'b', 'e'], withCosts);
    expect(costsOf(answer, 'a')).toEqual([(1 + 1 + 10 + 10 + 100) / 1e4, 0]);
    expect(costsOf(answer, 'b')).toEqual([(1 + 10) / 1e4, 0]);
    expect(costsOf(answer, 'e')).toEqual([1e-2, 0]);
  });

  test('is that of the project if there is one, else the default price', async () => {
    const [withPrice, withoutPrice] = [usageClient.newProject(), usageClient.newProject()];
    await usageClient.clickhouse.insert('llm_token_prices', [
      {
        id: 'default-m',
        pricing_level: 'default',
        pricing_level_id: 'default',
        provider_id: 'anybody',
        llm_id: 'm',
        effective_date: '2020-01-01 00:00:00',
        prompt_token_cost: '3',
        completion_token_cost: '0',
        created_by: 'test',
      },
    ]);
    await withPrice.setPrices(at('2026-01-01T00:00:00Z', 1e-4));
    for (const project of [withPrice, withoutPrice])
      await project.sendCompleteCalls({ id: 'a', usage });
    expect(costsOf(await withPrice.queryUsage(['a'], withCosts))).toEqual([1e-4, 0]);
    expect(costsOf(await withoutPrice.queryUsage(['a'], withCosts))).toEqual([3, 0]);
  });

  test('is that of the exact model name', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ M: at('2020-01-01T00:00:00Z', 1e-4).m });
    await project.setPrices({ 'm ': at('2020-01-01T00:00:00Z', 1e-4).m });
    await project.setPrices({ 'vendor/n': at('2020-01-01T00:00:00Z', 1e-4).m });
    await project.sendCompleteCalls({
      id: 'a',
      usage: { n: { prompt_tokens: 1 }, 'm-1': { requests: 1 } },
    });
    const answer = await project.queryUsage(['a'], withCosts);
    expect(costsOf(answer, 'a', 'n')).toEqual([null, null]);
    expect(costsOf(answer, 'a', 'm-1')).toEqual([null, null]);
  });
});
