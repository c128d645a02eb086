import { expect, test } from 'vitest';
import type { ResolvedCost } from '../../src/prices/resolve-costs.ts';
import { type Project } from '../support/usage-client.ts';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

async function resolve(project: Project, models: readonly string[], more: object = {}) {
  const body = { project_id: project.id, models, ...more };
  const answer = await usageClient.service.send('/cost/resolve', { body });
  expect(answer.status, answer.text).toBe(200);
  return (answer.json() as { results: ResolvedCost[] }).results;
}

test('says the price that a question would apply, at its time and of its level', async () => {
  const project = usageClient.newProject();
  const dated = (prompt: number, day: string) => ({
    m: {
      prompt_token_cost: prompt,
      completion_token_cost: 0.5,
      effective_date: `${day}T00:00:00Z`,
    },
  });
  await project.setPrices(dated(1, '2026-01-01'));
  await project.setPrices(dated(2, '2026-02-01'));
  const promptAt = async (at: string) =>
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
    const price = await promptAt(at);
    expect(call_usage[id]?.['m']?.prompt_tokens_total_cost).toBe(10 * (price ?? NaN));
  }
  // Before the first date the first one holds.
  expect(await promptAt('2025-12-31T00:00:00Z')).toBe(1);
  expect(await promptAt('2026-02-01T00:00:00Z')).toBe(2);
});

test('says by which rule a name was found, and null where none fits, in the order of the question', async () => {
  const project = usageClient.newProject();
  await project.setPrices({
    'gpt-4o-mini': { prompt_token_cost: 0.5, completion_token_cost: 0.5 },
  });
  const names = ['no such model', 'gpt-4o-mini', 'GPT-4o', 'gpt-4o', 'gpt-4o'];
  const found = await resolve(project, names);
  expect(found.map(({ llm_id }) => llm_id)).toEqual([...new Set(names)]);
  const [none, own, cased, exact] = found.map(({ price }) => price);
  expect(none).toBeNull();
  expect(own).toMatchObject({ rule: 'exact', pricing_level: 'project', prompt_token_cost: 0.5 });
  expect(cased).toMatchObject({ rule: 'case', pricing_level: 'default', alias_of: 'gpt-4o' });
  expect(exact).toMatchObject({ rule: 'exact', pricing_level: 'default', alias_of: null });
  expect(cased?.prompt_token_cost).toBe(exact?.prompt_token_cost);
});

test('says the price of a large prompt where that is another one, strictly above its threshold', async () => {
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
    const [found] = await resolve(project, ['tiered'], { prompt_tokens });
    expect(found?.price?.prompt_token_cost).toBe(price);
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
