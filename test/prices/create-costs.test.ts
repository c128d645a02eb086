import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';
import { issueTypesOf, validationIssuesOf } from '../support/http/validation-issues.ts';

const usageClient = usageClientFixture();

const withCosts = { include_costs: true };

/** Reads the stored prices of a project, sorted by model. */
function readStored(project: string): Promise<Record<string, unknown>[]> {
  return usageClient.clickhouse.query(
    'SELECT * FROM llm_token_prices FINAL WHERE pricing_level_id = {project: String} ORDER BY llm_id',
    { project },
  );
}

describe('POST /cost/create', () => {
  test('stores every field as it was sent, numbers as decimals', async () => {
    const project = usageClient.newProject();
    const costs = {
      'a model': {
        prompt_token_cost: 3.3 / 1e6,
        completion_token_cost: 0.01,
        cache_read_input_token_cost: 2.5e-7,
        cache_creation_input_token_cost: 0,
        cache_creation_1h_input_token_cost: 6e-6,
        audio_input_token_cost: 4e-5,
        audio_output_token_cost: 8e-5,
        prompt_tokens_above: 200_000,
        service_tier: 'batch',
        minutes_of_week: [
          { start: 60, end: 240 },
          { start: 0, end: 10_080 },
        ],
        prompt_token_cost_unit: 'USD',
        completion_token_cost_unit: 'USD',
        effective_date: '2026-01-31T23:59:59.123456+01:00',
        provider_id: 'somebody',
      },
    };
    const body = { project_id: project.id, costs };
    const answer = await usageClient.service.send('/cost/create', { body });

    const { ids } = answer.json() as { ids: [string, string][] };
    expect(ids).toEqual([[expect.any(String), 'a model']]);
    expect(await readStored(project.id)).toEqual([
      {
        id: ids[0]?.[0],
        pricing_level: 'project',
        pricing_level_id: project.id,
        provider_id: 'somebody',
        llm_id: 'a model',
        effective_date: '2026-01-31 22:59:59.123456',
        prompt_token_cost: '0.0000032999999999999997',
        completion_token_cost: '0.01',
        cache_read_input_token_cost: '0.00000025',
        cache_creation_input_token_cost: '0',
        cache_creation_1h_input_token_cost: '0.000006',
        audio_input_token_cost: '0.00004',
        audio_output_token_cost: '0.00008',
        prompt_token_cost_unit: 'USD',
        completion_token_cost_unit: 'USD',
        created_by: 'key-1',
        created_at: expect.any(String) as string,
        is_deleted: 0,
        prompt_tokens_above: '200000',
        alias_of: '',
        match_rule: '',
        service_tier: 'batch',
        minutes_of_week: [
          { start: 60, end: 240 },
          { start: 0, end: 10_080 },
        ],
      },
    ]);
  });

  test('uses defaults for missing and null fields: no cache prices, US dollars, from now on', async () => {
    const project = usageClient.newProject();
    const costs = { prompt_token_cost: 0.001, completion_token_cost: 0.002 };
    const nulls = Object.fromEntries(
      ['cache_read_input_token_cost', 'cache_creation_input_token_cost', 'effective_date']
        .concat('provider_id', 'prompt_token_cost_unit', 'completion_token_cost_unit')
        .concat('cache_creation_1h_input_token_cost', 'audio_input_token_cost')
        .concat('audio_output_token_cost', 'prompt_tokens_above', 'service_tier', 'minutes_of_week')
        .map((field) => [field, null]),
    );
    const before = Date.now();
    await project.setPrices({ a: costs, b: { ...costs, ...nulls } });
    const after = Date.now();
    const stored = await readStored(project.id);
    expect(stored).toHaveLength(2);
    for (const row of stored) {
      expect(row).toMatchObject({
        cache_read_input_token_cost: null,
        cache_creation_input_token_cost: null,
        cache_creation_1h_input_token_cost: null,
        audio_input_token_cost: null,
        audio_output_token_cost: null,
        ...{ prompt_tokens_above: '0', service_tier: '', minutes_of_week: [] },
        prompt_token_cost_unit: 'USD',
        completion_token_cost_unit: 'USD',
        provider_id: 'default',
      });
      const effectiveFrom = Date.parse(
        `${String(row['effective_date']).replace(' ', 'T').slice(0, 23)}Z`,
      );
      expect(effectiveFrom).toBeGreaterThanOrEqual(before);
      expect(effectiveFrom).toBeLessThanOrEqual(after);
    }
  });

  test('answers a distinct id for every price, in request order, and keeps names verbatim', async () => {
    const project = usageClient.newProject();
    const names = ['b', '__proto__', 'a', ' ', "it's", '\u{1f600}', '\0'];
    const price = '{"prompt_token_cost":0.001,"completion_token_cost":0.001}';
    const costs = names.map((name) => `${JSON.stringify(name)}:${price}`).join();
    const answer = await usageClient.service.send('/cost/create', {
      body: `{"project_id":${JSON.stringify(project.id)},"costs":{${costs}}}`,
    });
    const { ids } = answer.json() as { ids: [string, string][] };
    expect(ids.map(([, name]) => name)).toEqual(names);
    expect(new Set(ids.map(([id]) => id)).size).toBe(names.length);
    const stored = await readStored(project.id);
    expect(new Set(stored.map((row) => row['llm_id']))).toEqual(new Set(names));
  });

  test('stores a second price of a model, which takes precedence when its date is the same', async () => {
    const project = usageClient.newProject();
    const at = (prompt_token_cost: number) => ({
      m: { prompt_token_cost, completion_token_cost: 0, effective_date: '2020-01-01T00:00:00Z' },
    });
    await project.setPrices(at(0.001));
    await project.setPrices(at(0.005));
    expect(await readStored(project.id)).toHaveLength(2);
    await project.sendCompleteCalls({ id: 'a', usage: { m: { prompt_tokens: 3 } } });
    const { call_usage } = await project.queryUsage(['a'], withCosts);
    expect(call_usage['a']?.['m']?.prompt_tokens_total_cost).toBe(3 * 0.005);
  });

  test.each([
    ['2026-01-31', '2026-01-31 00:00:00.000000'],
    ['2026-01-31T12:34', '2026-01-31 12:34:00.000000'],
    ['2026-01-31T12:34:56', '2026-01-31 12:34:56.000000'],
    ['2026-01-31 12:34:56.789', '2026-01-31 12:34:56.789000'],
    ['2026-01-31T12:34:56+02:00', '2026-01-31 10:34:56.000000'],
  ])('takes the effective date %s as %s in UTC', async (effective_date, stored) => {
    const project = usageClient.newProject();
    const price = { prompt_token_cost: 0, completion_token_cost: 0, effective_date };
    await project.setPrices({ m: price });
    expect(await readStored(project.id)).toMatchObject([{ effective_date: stored }]);
  });

  test('refuses a price above 0.01 USD per token, which is probably one per million', async () => {
    const project = usageClient.newProject();
    const fields = ['prompt', 'completion', 'cache_read_input', 'cache_creation_input']
      .concat('cache_creation_1h_input', 'audio_input', 'audio_output')
      .map((name) => `${name}_token_cost`);
    const most = Object.fromEntries(fields.map((field) => [field, 0.01]));
    await project.setPrices({ m: most });
    for (const field of fields) {
      const costs = { m: { ...most, [field]: 2.5 } };
      const answer = await usageClient.service.send('/cost/create', {
        body: { project_id: project.id, costs },
      });
      const [issue, ...others] = validationIssuesOf(answer);
      expect(others).toEqual([]);
      expect(issue).toMatchObject({ loc: ['body', 'costs', 'm', field], type: 'less_than_equal' });
      expect(issue?.msg).toContain('per token, not per million');
    }
    expect(await readStored(project.id)).toHaveLength(1);
  });

  test('refuses a range of minutes that does not end after its start', async () => {
    const project = usageClient.newProject();
    const minutes_of_week = [
      { start: 0, end: 1 },
      { start: 60, end: 60 },
    ];
    const price = { prompt_token_cost: 0, completion_token_cost: 0, minutes_of_week };
    const body = { project_id: project.id, costs: { m: price } };
    const answer = await usageClient.service.send('/cost/create', { body });
    expect(issueTypesOf(answer)).toEqual(['body.costs.m.minutes_of_week.1.end value_error']);
    expect(await readStored(project.id)).toEqual([]);
  });

  test('stores nothing when the request has no prices', async () => {
    const project = usageClient.newProject();
    await project.setPrices({});
    expect(await readStored(project.id)).toEqual([]);
  });

  test('stores none of the prices when one is invalid', async () => {
    const project = usageClient.newProject();
    const price = { prompt_token_cost: 0.001, completion_token_cost: 0.001 };
    const body = {
      project_id: project.id,
      costs: { valid: price, invalid: { ...price, prompt_token_cost: -1 } },
    };
    expect((await usageClient.service.send('/cost/create', { body })).status).toBe(422);
    expect(await readStored(project.id)).toEqual([]);
  });
});

describe('a stored price is applied exactly', () => {
  /** Multiplies the shortest decimal of a number by an integer, and rounds once. */
  function times(price: number, tokens: number): number {
    const [number = '', exponent = '0'] = String(price).split('e');
    const [whole = '', fraction = ''] = number.split('.');
    const digits = BigInt(whole + fraction) * BigInt(tokens);
    return Number(`${digits}e${Number(exponent) - fraction.length}`);
  }

  test('to any number of tokens, whatever its digits', async () => {
    const project = usageClient.newProject();
    const price = fc.oneof(
      fc.double({ min: 1e-12, max: 0.01, noNaN: true }),
      fc.nat({ max: 99_999 }).map((number) => Number(`${number}e-9`)),
    );
    const tokens = fc.oneof(fc.nat({ max: 100_000 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
    const samples = fc.sample(fc.tuple(price, price, tokens, tokens), 300);
    await project.setPrices(
      Object.fromEntries(
        samples.map(([prompt_token_cost, completion_token_cost], index) => [
          `model-${index}`,
          { prompt_token_cost, completion_token_cost },
        ]),
      ),
    );
    const usage = Object.fromEntries(
      samples.map(([, , prompt_tokens, completion_tokens], index) => [
        `model-${index}`,
        { prompt_tokens, completion_tokens, requests: 1 },
      ]),
    );
    await project.sendCompleteCalls({ id: 'a', usage });
    const { call_usage } = await project.queryUsage(['a'], withCosts);
    samples.forEach(([promptCost, completionCost, prompt, completion], index) => {
      expect(call_usage['a']?.[`model-${index}`]).toMatchObject({
        prompt_tokens_total_cost: times(promptCost, prompt),
        completion_tokens_total_cost: times(completionCost, completion),
      });
    });
  });
});

describe('the default prices', () => {
  test('apply to a model for which the project has no price, from their date on', async () => {
    const project = usageClient.newProject();
    const [row] = await usageClient.clickhouse.query<Record<string, string>>(
      `SELECT prompt_token_cost, completion_token_cost FROM llm_token_prices FINAL
      WHERE pricing_level = 'default' AND llm_id = 'gpt-4o-mini' AND service_tier = ''
        AND effective_date <= '2026-01-31 00:00:00' ORDER BY effective_date DESC LIMIT 1`,
    );
    const usage = { 'gpt-4o-mini': { prompt_tokens: 1_000_000, completion_tokens: 1_000_000 } };
    await project.sendCompleteCalls({ id: 'a', startedAt: '2026-01-31T00:00:00Z', usage });
    const { call_usage } = await project.queryUsage(['a'], withCosts);
    expect(call_usage['a']?.['gpt-4o-mini']).toMatchObject({
      prompt_tokens_total_cost: timesMillion(row?.['prompt_token_cost']),
      completion_tokens_total_cost: timesMillion(row?.['completion_token_cost']),
    });
  });

  test('do not apply when a price of the project is in force', async () => {
    const project = usageClient.newProject();
    await project.setPrices({
      'gpt-4o-mini': {
        prompt_token_cost: 0.007,
        completion_token_cost: 0.001,
        effective_date: '2000-01-01T00:00:00Z',
      },
    });
    const usage = { 'gpt-4o-mini': { prompt_tokens: 2, completion_tokens: 3 } };
    await project.sendCompleteCalls({ id: 'a', usage });
    const { call_usage } = await project.queryUsage(['a'], withCosts);
    expect(call_usage['a']?.['gpt-4o-mini']).toMatchObject({
      prompt_tokens_total_cost: 2 * 0.007,
      completion_tokens_total_cost: 3 * 0.001,
    });
  });

  /** Multiplies a decimal by a million. */
  function timesMillion(decimal = ''): number {
    return Number(`${decimal}e6`);
  }
});
