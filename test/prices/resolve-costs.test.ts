import { expect, test } from 'vitest';
import type { ResolvedCost } from '../../src/prices/resolve-costs.ts';
import { type Project } from '../support/usage-client.ts';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

async function resolve(project: Project, models: readonly string[], parameters: object = {}) {
  const body = { project_id: project.id, models, ...parameters };
  const answer = await usageClient.service.send('/cost/resolve', { body });
  expect(answer.status, answer.text).toBe(200);
  return (answer.json() as { results: ResolvedCost[] }).results;
}

test('answers the price that a usage request applies to a call of the same time', async () => {
  const project = usageClient.newProject();
  const dated = (prompt: number, day: string) => ({
    m: {
      prompt_token_cost: prompt,
      completion_token_cost: 0.005,
      effective_date: `${day}T00:00:00Z`,
    },
  });
  await project.setPrices(dated(0.001, '2026-01-01'));
  await project.setPrices(dated(0.002, '2026-02-01'));
  const promptCostAt = async (at: string) =>
    (await resolve(project, ['m'], { at }))[0]?.price?.prompt_token_cost;
  for (const day of ['2025-12-31', '2026-01-31', '2026-02-01', '2026-02-02']) {
    const at = `${day}T00:00:00Z`;
    const id = `call of ${day}`;
    await project.sendCompleteCalls({
      id,
      trace: id,
      startedAt: at,
      usage: { m: { prompt_tokens: 10 } },
    });
    const { call_usage } = await project.queryUsage([id], { include_costs: true });
    const price = await promptCostAt(at);
    expect(call_usage[id]?.['m']?.prompt_tokens_total_cost).toBe(10 * (price ?? NaN));
  }
  // Before the first date the earliest price applies.
  expect(await promptCostAt('2025-12-31T00:00:00Z')).toBe(0.001);
  expect(await promptCostAt('2026-02-01T00:00:00Z')).toBe(0.002);
});

test('answers in request order the rule that matched each name, and null for a name without a price', async () => {
  const project = usageClient.newProject();
  await project.setPrices({
    'gpt-4o-mini': { prompt_token_cost: 0.005, completion_token_cost: 0.005 },
  });
  const names = ['no such model', 'gpt-4o-mini', 'GPT-4o', 'gpt-4o', 'gpt-4o'];
  const results = await resolve(project, names);
  expect(results.map(({ llm_id }) => llm_id)).toEqual([...new Set(names)]);
  const [none, own, cased, exact] = results.map(({ price }) => price);
  expect(none).toBeNull();
  expect(own).toMatchObject({ rule: 'exact', pricing_level: 'project', prompt_token_cost: 0.005 });
  expect(cased).toMatchObject({ rule: 'case', pricing_level: 'default', alias_of: 'gpt-4o' });
  expect(exact).toMatchObject({ rule: 'exact', pricing_level: 'default', alias_of: null });
  expect(cased?.prompt_token_cost).toBe(exact?.prompt_token_cost);
});

test('answers the price of a tier for prompts of more tokens than its threshold', async () => {
  const project = usageClient.newProject();
  const row = (above: number, cost: string) => ({
    ...{ id: `tier ${above}`, pricing_level: 'project', pricing_level_id: project.id },
    ...{ provider_id: 'p', llm_id: 'tiered', effective_date: '2026-01-01 00:00:00' },
    ...{ prompt_token_cost: cost, completion_token_cost: '0', prompt_tokens_above: above },
    created_by: 'test',
  });
  await usageClient.clickhouse.insert('llm_token_prices', [row(0, '1'), row(200, '2')]);
  for (const [prompt_tokens, price] of [
    [0, 1],
    [200, 1],
    [201, 2],
  ] as const) {
    const [result] = await resolve(project, ['tiered'], { prompt_tokens });
    expect(result?.price?.prompt_token_cost).toBe(price);
    const id = `call of ${prompt_tokens}`;
    await project.sendCompleteCalls({
      id,
      trace: id,
      usage: { tiered: { requests: 1, prompt_tokens } },
    });
    const { call_usage } = await project.queryUsage([id], { include_costs: true });
    expect(call_usage[id]?.['tiered']?.prompt_tokens_total_cost).toBe(prompt_tokens * price);
  }
});

test('answers the price of a service tier and of an hour, and every class', async () => {
  const project = usageClient.newProject();
  const classes = {
    cache_read_input_token_cost: 0.0001,
    cache_creation_input_token_cost: 0.0002,
    cache_creation_1h_input_token_cost: 0.0003,
    audio_input_token_cost: 0.0004,
    audio_output_token_cost: null,
  };
  const row = (prompt: number, conditions: object = {}) => ({
    m: {
      ...{ prompt_token_cost: prompt, completion_token_cost: 0.005, ...classes, ...conditions },
      effective_date: '2026-01-01',
    },
  });
  // Monday 01:00 to 04:00.
  const night = { minutes_of_week: [{ start: 60, end: 240 }] };
  await project.setPrices(row(0.001));
  await project.setPrices(row(0.002, { service_tier: 'batch' }));
  await project.setPrices(row(0.003, night));
  await project.setPrices(row(0.004, { prompt_tokens_above: 100 }));
  const priceOf = async (at: string, parameters: object = {}) =>
    (await resolve(project, ['m'], { at, ...parameters }))[0]?.price;

  const [sunday, monday] = ['2026-01-25', '2026-01-26'];
  expect(await priceOf(`${sunday}T02:00:00Z`)).toMatchObject({
    ...{ prompt_token_cost: 0.001, ...classes, not_contained: [] },
    ...{ effective_date: '2026-01-01T00:00:00.000000Z' },
    ...{ service_tier: 'standard', minutes_of_week: [], prompt_tokens_above: 0 },
  });
  for (const [time, cost] of [
    ['00:59:59.999999', 0.001],
    ['01:00:00', 0.003],
    ['03:59:59.999999', 0.003],
    ['04:00:00', 0.001],
  ] as const) {
    expect(await priceOf(`${monday}T${time}Z`), time).toMatchObject({ prompt_token_cost: cost });
  }
  expect(await priceOf(`${monday}T02:00:00Z`)).toMatchObject(night);
  const batch = { service_tier: 'batch' };
  expect(await priceOf(`${monday}T02:00:00Z`, batch)).toMatchObject({
    ...{ prompt_token_cost: 0.002, ...batch },
  });
  expect(await priceOf(`${sunday}T00:00:00Z`, { service_tier: 'flex' })).toMatchObject({
    prompt_token_cost: 0.001,
  });
  expect(await priceOf(`${sunday}T00:00:00Z`, { prompt_tokens: 100 })).toMatchObject({
    prompt_token_cost: 0.001,
  });
  expect(await priceOf(`${sunday}T00:00:00Z`, { prompt_tokens: 101 })).toMatchObject({
    ...{ prompt_token_cost: 0.004, prompt_tokens_above: 100 },
  });
});
