import { describe, expect, test } from 'vitest';
import type { BillLine, ModelBill, UsageExplainRes } from '../../src/openapi-types.ts';
import { usageClientFixture } from '../support/fixtures.ts';
import { openService } from '../support/http/service.ts';
import { completeRow } from '../support/rows/part-rows.ts';
import type { Project } from '../support/usage-client.ts';

const usageClient = usageClientFixture();

const time = '2026-01-31T12:00:00Z';
const sdk = { attributes: { weave: { usage_rollup: 'rolled_up' } } };

/** Sends POST /usage/explain, which must answer 200. */
async function explain(
  project: Project,
  call_ids: readonly string[],
  more: object = { include_costs: true },
): Promise<UsageExplainRes> {
  const body = { project_id: project.id, call_ids, ...more };
  const answer = await usageClient.service.send('/usage/explain', { body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json() as UsageExplainRes;
}

/** The bill of one call and model. */
async function billOf(project: Project, callId = 'a', model = 'm'): Promise<ModelBill> {
  const { call_usage } = await explain(project, [callId]);
  return call_usage[callId]![model]!;
}

/** The fields of lines that most tests are about. */
function brief(lines: readonly BillLine[]): unknown[] {
  return lines.map((line) => [line.class, line.tokens, line.price_per_million, line.amount]);
}

const everyClass = {
  prompt_token_cost: 0.000_002,
  completion_token_cost: 0.000_008,
  cache_read_input_token_cost: 0.000_000_5,
  cache_creation_input_token_cost: 0.000_002_5,
  cache_creation_1h_input_token_cost: 0.000_004,
  audio_input_token_cost: 0.000_01,
  audio_output_token_cost: 0.000_02,
};

describe('lines', () => {
  test('have each class of tokens with its price per million and its exact amount', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: everyClass });
    await project.sendCompleteCalls({
      id: 'a',
      usage: {
        m: {
          requests: 1,
          prompt_tokens: 10_000,
          completion_tokens: 500,
          prompt_tokens_details: { audio_tokens: 1_000 },
          completion_tokens_details: { audio_tokens: 100 },
          cache_read_input_tokens: 2_000,
          cache_creation_input_tokens: 3_000,
          cache_creation: { ephemeral_5m_input_tokens: 2_500, ephemeral_1h_input_tokens: 500 },
        },
      },
    });

    const bill = await billOf(project);

    expect(brief(bill.lines)).toEqual([
      ['prompt', 4_000, '2', '0.008'],
      ['cache_read', 2_000, '0.5', '0.001'],
      ['cache_write', 2_500, '2.5', '0.00625'],
      ['cache_write_1h', 500, '4', '0.002'],
      ['audio_input', 1_000, '10', '0.01'],
      ['completion', 400, '8', '0.0032'],
      ['audio_output', 100, '20', '0.002'],
    ]);
    expect(bill).toMatchObject({
      ...{ requests: 1, prompt_tokens: 10_000, completion_tokens: 500, total_tokens: 10_500 },
      prompt_tokens_total_cost: '0.02725',
      completion_tokens_total_cost: '0.0052',
      ...{ unpriced_tokens: 0, unknown_requests: 0, not_contained: [] },
      double_counted: { requests: 0, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    });
  });

  test('have amounts without exponents, as small as they are', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { prompt_token_cost: 1e-30, completion_token_cost: 0 } });
    const usage = { m: { prompt_tokens: 3, completion_tokens: 1 } };
    await project.sendCompleteCalls({ id: 'a', usage });
    expect(brief((await billOf(project)).lines)).toEqual([
      ['prompt', 3, `0.${'0'.repeat(23)}1`, `0.${'0'.repeat(29)}3`],
      ['completion', 1, '0', '0'],
    ]);
  });

  test('are apart for each price of a model, in the order of dates, with descendants included', async () => {
    const project = usageClient.newProject();
    const price = (effective_date: string, prompt_token_cost: number) => ({
      m: { effective_date, prompt_token_cost, completion_token_cost: 0 },
    });
    await project.setPrices(price('2026-01-20', 0.000_002));
    await project.setPrices(price('2026-01-01', 0.000_001));
    const usage = (prompt_tokens: number) => ({ m: { prompt_tokens } });
    await project.sendCompleteCalls(
      { id: 'a', startedAt: '2026-01-25T00:00:00Z', usage: usage(5) },
      { id: 'b', parent: 'a', startedAt: '2026-01-10T00:00:00Z', usage: usage(7) },
      { id: 'c', parent: 'b', startedAt: '2026-01-11T00:00:00Z', usage: usage(11) },
    );

    const { call_usage } = await explain(project, ['a', 'b']);

    const ofB = ['prompt', 7 + 11, '1', '0.000018'];
    expect(brief(call_usage['a']!['m']!.lines)).toEqual([ofB, ['prompt', 5, '2', '0.00001']]);
    expect(brief(call_usage['b']!['m']!.lines)).toEqual([ofB]);
    const dates = call_usage['a']!['m']!.lines.map((line) => line.price?.effective_date);
    expect(dates).toEqual(['2026-01-01T00:00:00.000000Z', '2026-01-20T00:00:00.000000Z']);
  });

  test('name the row of the price, and the model and rule by which it was found', async () => {
    const project = usageClient.newProject();
    const hours = [{ start: 0, end: 7 * 24 * 60 }];
    const cost = { prompt_token_cost: 0.000_001, completion_token_cost: 0 };
    const conditions = { prompt_tokens_above: 2, service_tier: 'batch', minutes_of_week: hours };
    await project.setPrices({ m: { ...cost, ...conditions, effective_date: '2026-01-01' } });
    const entry = { requests: 1, prompt_tokens: 3, service_tier: 'batch' };
    const usage = { m: entry, 'azure/gpt-4o-2024-08-06': entry };
    await project.sendCompleteCalls({ id: 'a', usage });

    const { call_usage } = await explain(project, ['a']);
    const resolved = await usageClient.service.send('/cost/resolve', {
      body: {
        ...{ project_id: project.id, models: ['m', 'azure/gpt-4o-2024-08-06'] },
        ...{ at: time, prompt_tokens: 3, service_tier: 'batch' },
      },
    });

    const { results } = resolved.json() as {
      results: { llm_id: string; price: Record<string, unknown> }[];
    };
    expect(results).toHaveLength(2);
    for (const { llm_id, price } of results) {
      const [line] = call_usage['a']![llm_id]!.lines;
      const shared = ['id', 'pricing_level', 'provider_id', 'rule', 'effective_date'];
      const fields = [...shared, 'prompt_tokens_above', 'service_tier', 'minutes_of_week'];
      expect(line!.price).toEqual({
        llm_id: price['alias_of'] ?? llm_id,
        ...Object.fromEntries(fields.map((field) => [field, price[field]])),
      });
    }
    expect(call_usage['a']!['m']!.lines[0]!.price).toMatchObject({ rule: 'exact', ...conditions });
  });

  test('without a price come last and are counted as unpriced', async () => {
    const project = usageClient.newProject();
    const cost = { prompt_token_cost: 0.000_001, completion_token_cost: 0.000_001 };
    await project.setPrices({ m: { ...cost, service_tier: 'flex', effective_date: '2026-01-01' } });
    const entry = { requests: 1, prompt_tokens: 3, completion_tokens: 4 };
    await project.sendCompleteCalls(
      { id: 'a', usage: { m: entry } },
      { id: 'b', parent: 'a', usage: { m: { ...entry, service_tier: 'flex' } } },
    );

    const bill = await billOf(project);

    expect(brief(bill.lines)).toEqual([
      ['prompt', 3, '1', '0.000003'],
      ['completion', 4, '1', '0.000004'],
      ['prompt', 3, null, null],
      ['completion', 4, null, null],
    ]);
    expect(bill.lines.at(-1)!.price).toBeNull();
    expect(bill).toMatchObject({
      unpriced_tokens: 3 + 4,
      prompt_tokens_total_cost: '0.000003',
      completion_tokens_total_cost: '0.000004',
    });
  });

  test('of a model without any price leave its costs unknown', async () => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'a', usage: { m: { prompt_tokens: 3 } } });
    expect(await billOf(project)).toMatchObject({
      lines: [{ class: 'prompt', tokens: 3, price_per_million: null, amount: null, price: null }],
      ...{ prompt_tokens_total_cost: null, completion_tokens_total_cost: null },
      unpriced_tokens: 3,
    });
  });

  test('have tokens only, without include_costs', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: everyClass });
    const usage = { m: { prompt_tokens: 9, cache_read_input_tokens: 2, completion_tokens: 1 } };
    await project.sendCompleteCalls({ id: 'a', usage });
    const { call_usage } = await explain(project, ['a'], {});
    const bill = call_usage['a']!['m']!;
    expect(brief(bill.lines)).toEqual([
      ['prompt', 7, null, null],
      ['cache_read', 2, null, null],
      ['completion', 1, null, null],
    ]);
    expect(bill).toMatchObject({
      ...{ prompt_tokens_total_cost: null, completion_tokens_total_cost: null },
      unpriced_tokens: null,
    });
  });
});

describe('unknown requests', () => {
  const price = { m: { prompt_token_cost: 0.000_001, completion_token_cost: 0 } };

  test('are counted beside the priced ones, in no line', async () => {
    const project = usageClient.newProject();
    await project.setPrices(price);
    await project.sendCompleteCalls(
      { id: 'a', usage: { m: { requests: 2, prompt_tokens: 5 } } },
      { id: 'b', parent: 'a', usage: { m: { requests: 3, prompt_tokens: null } } },
    );
    const bill = await billOf(project);
    expect(bill).toMatchObject({
      ...{ requests: 2 + 3, unknown_requests: 3, unpriced_tokens: 0 },
      prompt_tokens_total_cost: '0.000005',
    });
    expect(brief(bill.lines)).toEqual([['prompt', 5, '1', '0.000005']]);
  });

  test('leave the costs unknown if there are no others', async () => {
    const project = usageClient.newProject();
    await project.setPrices(price);
    await project.sendCompleteCalls({ id: 'a', usage: { m: { requests: 3 } } });
    expect(await billOf(project)).toMatchObject({
      ...{ requests: 3, unknown_requests: 3, lines: [] },
      ...{ prompt_tokens_total_cost: null, completion_tokens_total_cost: null },
    });
  });
});

describe('double_counted', () => {
  const usage = (requests: number, prompt_tokens: number, completion_tokens: number) => ({
    m: {
      ...{ requests, prompt_tokens, completion_tokens },
      total_tokens: prompt_tokens + completion_tokens,
    },
  });

  /** A rolled-up chain a > b > c, of which c spent everything, and d below a, which spent for itself. */
  async function sendChain(project: Project, more: object = {}): Promise<void> {
    await usageClient.clickhouse.insert(
      'call_parts',
      [
        { id: 'a', usage: usage(3, 300, 30) },
        { id: 'b', parent: 'a', usage: usage(2, 200, 20) },
        { id: 'c', parent: 'b', usage: usage(2, 200, 20) },
      ].map((call) =>
        completeRow(project.id, call, { attributes_dump: JSON.stringify(sdk.attributes), ...more }),
      ),
    );
    await project.sendCompleteCalls({ id: 'd', parent: 'a', usage: usage(5, 7, 11) });
  }

  test.each([
    ['of whole traces', ['a']],
    ['of nested calls', ['a', 'b', 'c']],
  ])('is what calls stored that belongs to their children, in explanations %s', async (_, ids) => {
    const project = usageClient.newProject();
    await sendChain(project);

    const { call_usage } = await explain(project, ids);

    const counts = (requests: number, prompt_tokens: number, completion_tokens: number) => ({
      ...{ requests, prompt_tokens, completion_tokens },
      total_tokens: prompt_tokens + completion_tokens,
    });
    expect(call_usage['a']!['m']).toMatchObject({
      ...counts(3 + 5, 300 + 7, 30 + 11),
      double_counted: counts(2 + 2, 200 + 200, 20 + 20),
    });
    if (ids.includes('b')) {
      expect(call_usage['b']!['m']!.double_counted).toEqual(counts(2, 200, 20));
      expect(call_usage['c']!['m']!.double_counted).toEqual(counts(0, 0, 0));
    }
  });

  test('is all that is left of a model whose usage was that of a deleted child', async () => {
    const project = usageClient.newProject();
    await sendChain(project);
    await project.deleteCalls('c');

    const { call_usage } = await explain(project, ['b']);

    expect((await project.queryUsage(['b'])).call_usage).toEqual({ b: {} });
    expect(call_usage['b']!['m']).toMatchObject({
      ...{ lines: [], requests: 0, total_tokens: 0 },
      double_counted: { requests: 2, prompt_tokens: 200, completion_tokens: 20, total_tokens: 220 },
    });
  });
});

test('what a provider charges besides tokens is named', async () => {
  const project = usageClient.newProject();
  const model = 'perplexity/sonar';
  await project.sendCompleteCalls({
    id: 'a',
    usage: { [model]: { requests: 1, input_tokens: 1 } },
  });
  const resolved = await usageClient.service.send('/cost/resolve', {
    body: { project_id: project.id, models: [model], at: time },
  });
  const { results } = resolved.json() as { results: [{ price: { not_contained: string[] } }] };
  expect(results[0].price.not_contained.length).toBeGreaterThan(0);
  const { not_contained } = await billOf(project, 'a', model);
  expect(not_contained).toEqual(results[0].price.not_contained);
});

describe('an explanation', () => {
  test('has every requested id in order, models by code point, and the ids of unfinished calls', async () => {
    const project = usageClient.newProject();
    const usage = { b: { requests: 1 }, '2': { requests: 1 }, __proto__x: { requests: 1 } };
    await project.sendCompleteCalls({ id: 'a', usage });
    await project.upsertBatch(project.startItem({ id: 'open', trace: 'other' }));
    const body = { project_id: project.id, call_ids: ['x', 'open', 'a', '7', 'a'] };
    const answer = await usageClient.service.send('/usage/explain', { body });
    const order = [...answer.text.matchAll(/"([^"]+)":\{(?=\}|"lines"|"2":)/g)].map(([, id]) => id);
    expect(order).toEqual(['x', 'open', 'a', '2', '__proto__x', 'b', '7']);
    expect(answer.json()).toMatchObject({ unfinished_call_ids: ['open'] });
    expect(answer.headers.get('x-unknown-calls')).toBe('2');
  });

  test('of no calls is empty', async () => {
    const empty = { call_usage: {}, unfinished_call_ids: [] };
    expect(await explain(usageClient.newProject(), [])).toEqual(empty);
  });

  test('has integers of any size', async () => {
    const project = usageClient.newProject();
    const most = 2 ** 53 - 1;
    const ids = ['a', 'b', 'c'];
    await project.sendCompleteCalls(
      ...ids.map((id, index) => ({
        id,
        parent: index === 0 ? undefined : 'a',
        usage: { m: { prompt_tokens: most } },
      })),
    );
    const body = { project_id: project.id, call_ids: ['a'], include_costs: true };
    const { text } = await usageClient.service.send('/usage/explain', { body });
    expect(text).toContain(`"tokens":${3n * BigInt(most)},`);
    expect(text).toContain(`"unpriced_tokens":${3n * BigInt(most)},`);
  });
});

describe('is refused like a usage request', () => {
  test.each([
    ['an unknown field', { more: 1 }],
    ['a limit below 1', { limit: 0 }],
    ['call_ids of another type', { call_ids: [1] }],
    ['more calls than its limit', { limit: 1 }],
  ])('with %s', async (_, more) => {
    const project = usageClient.newProject();
    await project.sendCompleteCalls({ id: 'a' }, { id: 'b', parent: 'a' });
    const body = { project_id: project.id, call_ids: ['a'], ...more };
    const [explained, used] = await Promise.all(
      ['/usage/explain', '/calls/usage'].map((path) => usageClient.service.send(path, { body })),
    );
    expect(explained!.status).toBe(422);
    expect(explained!.json()).toEqual(used!.json());
  });

  test('when it has more sums than an answer may have', async () => {
    const project = usageClient.newProject();
    const models = 40;
    const usage = Array.from({ length: models }, (_, index) => [`m-${index}`, { requests: 1 }]);
    await project.sendCompleteCalls({ id: 'a', usage: Object.fromEntries(usage) });
    const environment = usageClient.clickhouse.environment;
    const body = { project_id: project.id, call_ids: ['a'] };
    const service = await openService({ ...environment, QUERY_RESULT_ROWS: String(models - 1) });
    await service.ready;
    const answer = await service.send('/usage/explain', { body });
    await service.close();
    expect(answer.status, answer.text).toBe(422);
    expect(answer.text).toContain('answer_too_large');
  });
});

test('explanations and usage requests of one project at a time get answers of their kind', async () => {
  const project = usageClient.newProject();
  await project.setPrices({ m: everyClass });
  await project.sendCompleteCalls({ id: 'a', usage: { m: { prompt_tokens: 1 } } });
  const answers = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const path = index % 2 === 0 ? '/usage/explain' : '/calls/usage';
      const body = { project_id: project.id, call_ids: ['a'], include_costs: index % 4 < 2 };
      const { text } = await usageClient.service.send(path, { body });
      return text.includes('"lines"') === (index % 2 === 0);
    }),
  );
  expect(answers).toEqual(answers.map(() => true));
});
