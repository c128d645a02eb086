import { expect, test } from 'vitest';
import { usageClientFixture } from '../../support/fixtures.ts';
import { issueTypesOf } from '../../support/http/validation-issues.ts';

const client = usageClientFixture();

const price = { prompt_token_cost: 0.001, completion_token_cost: 0.002 };
const start = '2026-03-01';
const query = { $expr: { $eq: [{ $getField: 'id' }, { $literal: 'none' }] } };
const sorted = { sort_by: [{ field: 'id', direction: 'asc' }] };

test.each<[path: string, body: object, loc: string]>([
  ['/call/read', { id: 'a', include_cost: true }, 'include_cost'],
  ['/cost/create', { costs: { m: price }, effective_date: start }, 'effective_date'],
  ['/cost/create', { costs: { m: { ...price, tokens_above: 1 } } }, 'costs.m.tokens_above'],
  [
    '/cost/create',
    { costs: { m: { ...price, minutes_of_week: [{ start: 0, end: 1, zone: 'UTC' }] } } },
    'costs.m.minutes_of_week.0.zone',
  ],
  ['/cost/preview', { costs: { m: { ...price, tokens_above: 1 } }, start }, 'costs.m.tokens_above'],
  ['/cost/query', { order_by: [] }, 'order_by'],
  ['/cost/query', { sort_by: [{ ...sorted.sort_by[0], nulls: 'last' }] }, 'sort_by.0.nulls'],
  ['/cost/query', { query: { ...query, expr: {} } }, 'query.expr'],
  ['/cost/purge', { query, dry_run: true }, 'dry_run'],
  ['/cost/resolve', { models: ['m'], date: start }, 'date'],
  ['/cost/unpriced', { start }, 'start'],
])('%s refuses a field that it does not know: %j', async (path, body, loc) => {
  const answer = await client.service.send(path, { body: { project_id: 'team/fields', ...body } });
  expect(issueTypesOf(answer)).toEqual([`body.${loc} extra_forbidden`]);
});

test('requests with every field that Weave SDKs have for them are answered', async () => {
  const project = client.newProject();
  await project.sendCompleteCalls({ id: 'a', startedAt: '2026-03-01T00:00:00Z' });
  const send = async (path: string, body: object) => {
    const answer = await client.service.send(path, {
      body: { project_id: project.id, ...body },
    });
    expect(answer.status, answer.text).toBe(200);
    return answer.json();
  };
  const sizes = { include_storage_size: false, include_total_storage_size: false };
  const read = await send('/call/read', { id: 'a', include_costs: true, ...sizes });
  expect(read).toMatchObject({ call: { id: 'a' } });
  const cached = { cache_read_input_token_cost: 0.0001, cache_creation_input_token_cost: 0.002 };
  const units = { prompt_token_cost_unit: 'USD', completion_token_cost_unit: 'USD' };
  const cost = { ...price, ...cached, ...units, effective_date: start, provider_id: 'default' };
  const created = await send('/cost/create', { costs: { m: cost }, wb_user_id: null });
  const { ids } = created as { ids: [[string, string]] };
  const byId = { $expr: { $in: [{ $getField: 'id' }, [{ $literal: ids[0][0] }]] } };
  const page = { fields: ['id', 'llm_id'], query: byId, ...sorted, limit: 1, offset: 0 };
  const found = { results: [{ id: ids[0][0], llm_id: 'm' }] };
  expect(await send('/cost/query', page)).toEqual(found);
  await send('/cost/purge', { query: byId });
  expect(await send('/cost/query', page)).toEqual({ results: [] });
});
