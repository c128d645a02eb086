import { expect, test } from 'vitest';
import { listIncompleteModels, readPriceBook } from '../../src/prices/catalog/price-book.ts';
import { usageClientFixture } from '../support/fixtures.ts';
import type { Project } from '../support/usage-client.ts';

const usageClient = usageClientFixture();

const listUnpriced = (body: object) => usageClient.service.send('/cost/unpriced', { body });

interface Unpriced {
  readonly results: readonly object[];
  readonly not_contained: readonly { llm_id: string; calls: number; units: string[] }[];
}

async function listUnpricedOf(project: Project, parameters: object = {}): Promise<Unpriced> {
  const answer = await listUnpriced({ project_id: project.id, ...parameters });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Unpriced;
}

const price = { prompt_token_cost: 0.001, completion_token_cost: 0.001 };

test('lists a model with the usage of its calls until it gets a price', async () => {
  const project = usageClient.newProject();
  await project.sendCompleteCalls(
    { id: 'a', usage: { 'house-model': { requests: 1, prompt_tokens: 7, output_tokens: 2 } } },
    {
      id: 'b',
      usage: { 'house-model': { requests: 1, prompt_tokens: 3 }, 'gpt-4o': { requests: 1 } },
    },
  );
  const sums = { requests: 2, prompt_tokens: 7 + 3, completion_tokens: 2, total_tokens: 7 + 2 + 3 };
  expect((await listUnpricedOf(project)).results).toEqual([
    { llm_id: 'house-model', calls: 2, ...sums },
  ]);
  const later = await listUnpricedOf(project, { after: '2100-01-01T00:00:00Z' });
  expect(later).toEqual({ results: [], not_contained: [] });
  await project.setPrices({ 'house-model': price });
  expect((await listUnpricedOf(project)).results).toEqual([]);
});

test('lists a model whose price applies to some sizes, service tiers or hours only', async () => {
  const project = usageClient.newProject();
  const conditions = {
    size: { prompt_tokens_above: 10 },
    tier: { service_tier: 'batch' },
    hours: { minutes_of_week: [{ start: 60, end: 10_080 }] },
    'all hours': { minutes_of_week: [{ start: 0, end: 10_080 }] },
  };
  await project.setPrices(
    Object.fromEntries(
      Object.entries(conditions).map(([model, condition]) => [model, { ...price, ...condition }]),
    ),
  );
  const usage = Object.fromEntries(
    Object.keys(conditions).map((model) => [model, { prompt_tokens: 1 }]),
  );
  await project.sendCompleteCalls({ id: 'a', usage });
  const { results } = await listUnpricedOf(project);
  expect(results).toMatchObject(['hours', 'size', 'tier'].map((llm_id) => ({ llm_id })));
  expect(await listUnpricedOf(project, { limit: 2 })).toMatchObject({ results: [{}, {}] });
});

test('does not list a name that the price book resolves to a model', async () => {
  const project = usageClient.newProject();
  await project.sendCompleteCalls({ id: 'a', usage: { 'OPENAI/gpt-4o': { prompt_tokens: 1 } } });
  expect((await listUnpricedOf(project)).results).toEqual([]);
});

test('names what the default price of a model does not contain, such as web searches', async () => {
  const book = await readPriceBook();
  const searching = listIncompleteModels(book).filter(
    ({ llm_id, units }) => book.prices.has(llm_id) && units.includes('web_searches_kcount'),
  );
  expect(searching.length).toBeGreaterThan(5);
  const project = usageClient.newProject();
  // By an alias, too: names in capitals are of the same models.
  const [first, ...others] = searching.map(({ llm_id }) => llm_id);
  const names = [first?.toUpperCase() ?? '', ...others];
  const usage = Object.fromEntries(names.map((name) => [name, { prompt_tokens: 1 }]));
  await project.sendCompleteCalls({ id: 'a', usage });
  const { not_contained } = await listUnpricedOf(project);
  const unitsOf = new Map(not_contained.map(({ llm_id, units }) => [llm_id, units]));
  expect(unitsOf).toEqual(
    new Map(searching.map(({ units }, index) => [names[index], [...units].sort()])),
  );
  // Nothing is known of a price that the project has set.
  await project.setPrices(Object.fromEntries(names.map((name) => [name, price])));
  expect(await listUnpricedOf(project)).toEqual({ results: [], not_contained: [] });
});

test.each([
  [{ limit: 0 }, 'limit'],
  [{ after: 'yesterday' }, 'after'],
  [{ limit: 10_001 }, 'limit'],
])('refuses the invalid parameter %j', async (parameters, name) => {
  const answer = await listUnpriced({ project_id: 'team/none', ...parameters });
  expect(answer.status).toBe(422);
  expect(answer.text).toContain(`"${name}"`);
});
