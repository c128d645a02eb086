import { expect, test } from 'vitest';
import { usageClientFixture } from '../../support/fixtures.ts';

const client = usageClientFixture();

interface Preview {
  readonly results: readonly {
    readonly llm_id: string;
    readonly was: string | null;
    readonly would_be: string | null;
  }[];
  readonly total: { readonly was: string | null; readonly would_be: string | null };
}

const window = { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' };
const price = { prompt_token_cost: 0.000001, completion_token_cost: 0.000003 };

async function post<Answer>(path: string, body: object): Promise<Answer> {
  const answer = await client.service.send(path, { body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as Answer;
}

test('a preview has both costs of each model, and changes nothing', async () => {
  const project = client.newProject();
  await project.setPrices({ old: { ...price, effective_date: '2026-01-01' } });
  const usage = { requests: 1, prompt_tokens: 100, completion_tokens: 10 };
  await project.sendCompleteCalls(
    { id: 'a', startedAt: '2026-03-01T00:00:00Z', usage: { old: usage, new: usage } },
    { id: 'b', startedAt: '2026-03-20T00:00:00Z', usage: { old: usage, unpriced: usage } },
    { id: 'c', startedAt: '2026-04-01T00:00:00Z', usage: { old: usage } },
  );
  const request = { project_id: project.id, ...window };
  const preview = await post<Preview>('/cost/preview', {
    ...request,
    costs: {
      // From the middle of the window, for prompts of any size.
      old: { prompt_token_cost: 0.000002, completion_token_cost: 0, effective_date: '2026-03-15' },
      new: { ...price, effective_date: '2026-01-01' },
      unused: price,
    },
  });
  // 100 prompt tokens at 1 and 10 of the completion at 3 per million; then 100 at 2.
  expect(preview).toEqual({
    ...window,
    results: [
      { llm_id: 'new', requests: 1, total_tokens: 110, was: null, would_be: '0.00013' },
      { llm_id: 'old', requests: 2, total_tokens: 220, was: '0.00026', would_be: '0.00033' },
      { llm_id: 'unpriced', requests: 1, total_tokens: 110, was: null, would_be: null },
    ],
    total: { was: '0.00026', would_be: '0.00046' },
    live_traces: 1,
  });
  const { results } = await post<{ results: readonly object[] }>('/cost/query', {
    project_id: project.id,
  });
  expect(results).toHaveLength(1);
  const stats = await post<{ usage_buckets: readonly { sum_total_cost: number }[] }>(
    '/calls/stats',
    {
      ...request,
      granularity: 31_622_400,
      group_by: [],
      usage_metrics: [{ metric: 'total_cost' }],
    },
  );
  const [was, total] = [
    preview.total.was,
    stats.usage_buckets.map((bucket) => bucket.sum_total_cost),
  ];
  expect(total.reduce((sum, each) => sum + each, 0)).toBe(Number(was));
});

test('a price that is proposed costs what it costs once it is created', async () => {
  const project = client.newProject();
  const base = { ...price, effective_date: '2026-02-01' };
  await project.setPrices({ m: base, n: base });
  const usage = (prompt_tokens: number) => ({
    m: { requests: 1, prompt_tokens, completion_tokens: 7 },
    n: { requests: 1, prompt_tokens, completion_tokens: 7, service_tier: 'batch' },
  });
  await project.sendCompleteCalls(
    { id: 'a', startedAt: '2026-03-02T00:30:00Z', usage: usage(100) },
    { id: 'b', startedAt: '2026-03-03T12:00:00Z', usage: usage(5_000) },
    { id: 'c', startedAt: '2026-03-09T00:59:59Z', usage: usage(5_001) },
  );
  const proposals = [
    { prompt_tokens_above: 5_000 },
    { service_tier: 'batch' },
    { minutes_of_week: [{ start: 0, end: 60 }] },
    { effective_date: '2026-02-01' },
  ];
  for (const [index, proposal] of proposals.entries()) {
    const cost = {
      ...{ prompt_token_cost: 0.00001 * (index + 2), completion_token_cost: 0.00002 },
      ...{ effective_date: '2026-02-01', ...proposal },
    };
    const request = { project_id: project.id, ...window, costs: { m: cost, n: cost } };
    const before = await post<Preview>('/cost/preview', request);
    await project.setPrices({ m: cost, n: cost });
    const after = await post<Preview>('/cost/preview', { ...request, costs: {} });
    expect(before.results.map(({ would_be }) => would_be)).toEqual(
      after.results.map(({ was }) => was),
    );
    expect(before.total.would_be, JSON.stringify(proposal)).not.toBe(before.total.was);
    expect(after.total.would_be).toBe(after.total.was);
  }
});

test('a window without usage costs 0, and one of a model without a price is unknown', async () => {
  const project = client.newProject();
  await project.sendCompleteCalls({
    ...{ id: 'a', startedAt: '2026-03-02T00:00:00Z' },
    usage: { unheard: { requests: 1, prompt_tokens: 10 } },
  });
  const preview = async (start: string): Promise<unknown> =>
    (await post<Preview>('/cost/preview', { project_id: project.id, ...window, start, costs: {} }))
      .total;
  expect(await preview('2026-03-02T00:00:01Z')).toEqual({ was: '0', would_be: '0' });
  expect(await preview('2026-03-02T00:00:00Z')).toEqual({ was: null, would_be: null });
});
