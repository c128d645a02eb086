import { expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

const listUnpriced = (body: object) => usageClient.service.send('/cost/unpriced', { body });

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
  expect((await listUnpriced({ project_id: project.id })).json()).toEqual({
    results: [{ llm_id: 'house-model', calls: 2, ...sums }],
  });
  const later = await listUnpriced({ project_id: project.id, after: '2100-01-01T00:00:00Z' });
  expect(later.json()).toEqual({ results: [] });
  await project.setPrices({ 'house-model': { prompt_token_cost: 1, completion_token_cost: 1 } });
  expect((await listUnpriced({ project_id: project.id })).json()).toEqual({ results: [] });
});

test('does not list a name that the price book resolves to a model', async () => {
  const project = usageClient.newProject();
  await project.sendCompleteCalls({ id: 'a', usage: { 'OPENAI/gpt-4o': { prompt_tokens: 1 } } });
  expect((await listUnpriced({ project_id: project.id })).json()).toEqual({ results: [] });
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
