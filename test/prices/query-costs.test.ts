import { describe, expect, test } from 'vitest';
import { usageClientFixture } from '../support/fixtures.ts';

const usageClient = usageClientFixture();

type Price = Record<string, unknown>;

const field = (name: string) => ({ $getField: name });
const literal = (value: unknown) => ({ $literal: value });

/** Creates a project with prices of three models, two of them with two dates. */
async function createProject(): Promise<string> {
  const project = usageClient.newProject();
  const price = (prompt: number, day: string) => ({
    prompt_token_cost: prompt,
    completion_token_cost: 0.0025,
    effective_date: `${day}T00:00:00Z`,
  });
  await project.setPrices({ a: price(1.5e-7, '2026-01-01'), b: price(0.002, '2026-01-01') });
  await project.setPrices({ a: price(3e-7, '2026-02-01'), b: price(0.001, '2026-02-01') });
  await project.setPrices({
    c: { ...price(0.004, '2026-01-01'), cache_read_input_token_cost: 0.003 },
  });
  return project.id;
}

async function query(project_id: string, parameters: object = {}): Promise<Price[]> {
  const answer = await usageClient.service.send('/cost/query', {
    body: { project_id, ...parameters },
  });
  expect(answer.status, answer.text).toBe(200);
  return (answer.json() as { results: Price[] }).results;
}

const namesOf = (prices: readonly Price[]): string[] =>
  prices.map((price) => `${String(price['llm_id'])} ${String(price['prompt_token_cost'])}`);

describe('POST /cost/query', () => {
  test('answers prices with the digits they were created with, sorted by model and date', async () => {
    const prices = await query(await createProject());
    expect(namesOf(prices)).toEqual(['a 1.5e-7', 'a 3e-7', 'b 0.002', 'b 0.001', 'c 0.004']);
    expect(prices[4]).toEqual({
      ...{ id: expect.any(String) as string, llm_id: 'c', provider_id: 'default' },
      ...{ effective_date: '2026-01-01T00:00:00.000000Z', prompt_token_cost: 0.004 },
      ...{ completion_token_cost: 0.0025, cache_read_input_token_cost: 0.003 },
      ...{ cache_creation_input_token_cost: null, cache_creation_1h_input_token_cost: null },
      ...{ audio_input_token_cost: null, audio_output_token_cost: null },
      ...{ prompt_tokens_above: 0, service_tier: 'standard', minutes_of_week: [] },
      ...{ prompt_token_cost_unit: 'USD', completion_token_cost_unit: 'USD' },
    });
  });

  test('answers no prices of other projects', async () => {
    await createProject();
    expect(await query('team/none')).toEqual([]);
  });

  const cases: [string, object, string[]][] = [
    ['$eq', { $eq: [field('llm_id'), literal('c')] }, ['c 0.004']],
    ['$gt', { $gt: [field('prompt_token_cost'), literal(0.001)] }, ['b 0.002', 'c 0.004']],
    [
      '$gte',
      { $gte: [field('prompt_token_cost'), literal(0.001)] },
      ['b 0.002', 'b 0.001', 'c 0.004'],
    ],
    [
      '$in',
      { $in: [field('llm_id'), [literal('a'), literal('c')]] },
      ['a 1.5e-7', 'a 3e-7', 'c 0.004'],
    ],
    [
      '$and and a date',
      {
        $and: [
          { $eq: [field('llm_id'), literal('a')] },
          { $gte: [field('effective_date'), literal('2026-02-01')] },
        ],
      },
      ['a 3e-7'],
    ],
    [
      'an instant, in any time zone',
      {
        $in: [
          field('effective_date'),
          [literal('2026-02-01T01:00:00+01:00'), literal('2030-01-01T00:00:00Z')],
        ],
      },
      ['a 3e-7', 'b 0.001'],
    ],
    [
      'a time without a zone, which is UTC',
      { $eq: [field('effective_date'), literal('2026-02-01T00:00')] },
      ['a 3e-7', 'b 0.001'],
    ],
    [
      '$or and $not',
      { $or: [{ $not: [{ $in: [field('llm_id'), [literal('a'), literal('b')]] }] }] },
      ['c 0.004'],
    ],
    [
      'a field that is null for others',
      { $eq: [field('cache_read_input_token_cost'), literal(0.003)] },
      ['c 0.004'],
    ],
  ];
  test.each(cases)('selects by %s', async (_, $expr, names) => {
    expect(namesOf(await query(await createProject(), { query: { $expr } }))).toEqual(names);
  });

  test('sorts, pages, and answers the requested fields only', async () => {
    const parameters = {
      sort_by: [
        { field: 'effective_date', direction: 'desc' },
        { field: 'prompt_token_cost', direction: 'asc' },
      ],
      ...{ limit: 2, offset: 1, fields: ['llm_id', 'prompt_token_cost'] },
    };
    expect(await query(await createProject(), parameters)).toEqual([
      { llm_id: 'b', prompt_token_cost: 0.001 },
      { llm_id: 'a', prompt_token_cost: 1.5e-7 },
    ]);
  });

  const invalid: [object, (string | number)[], string][] = [
    [{ $like: [] }, ['$like'], 'extra_forbidden'],
    [{ $lt: [{ $in: [field('effective_date'), [literal('soon')]] }] }, ['$lt'], 'extra_forbidden'],
    [{}, [], 'too_short'],
    [{ $and: [], $or: [] }, [], 'too_long'],
    [{ $and: {} }, ['$and'], 'list_type'],
    [{ $and: [1] }, ['$and', 0], 'model_attributes_type'],
    [{ $not: [] }, ['$not'], 'too_short'],
    [{ $eq: [field('id')] }, ['$eq'], 'too_short'],
    [{ $eq: Array(3).fill(field('id')) }, ['$eq'], 'too_long'],
    [{ $eq: [field('price'), literal(1)] }, ['$eq', 0, '$getField'], 'literal_error'],
    [{ $eq: [field('id'), literal([1])] }, ['$eq', 1, '$literal'], 'value_error'],
    [{ $in: [field('id'), literal('a')] }, ['$in', 1], 'list_type'],
    [{ $in: [field('id'), [{ $or: 1 }]] }, ['$in', 1, 0, '$or'], 'list_type'],
    [
      { $gt: [field('effective_date'), literal('soon')] },
      ['$gt', 1, '$literal'],
      'datetime_parsing',
    ],
    [
      { $gte: [literal('2026-02-30'), field('effective_date')] },
      ['$gte', 0, '$literal'],
      'datetime_parsing',
    ],
    [{ $eq: [field('minutes_of_week'), literal(null)] }, ['$eq', 0, '$getField'], 'literal_error'],
    [
      { $not: [{ $in: [field('effective_date'), [literal(1), literal('soon')]] }] },
      ['$not', 0, '$in', 1, 1, '$literal'],
      'datetime_parsing',
    ],
  ];
  test.each(invalid)('refuses the expression %j with one issue, at %j: %s', async (...row) => {
    const [$expr, path, type] = row;
    expect(await refusalsOf('/cost/query', $expr)).toEqual([
      { loc: ['body', 'query', '$expr', ...path], type },
    ]);
  });

  test('accepts expressions of 32 levels and of 1,000 operators and operands, and none beyond', async () => {
    const wide = (operands: number) => ({ $and: Array(operands).fill(literal(true)) });
    for (const $expr of [JSON.parse(deep(32)) as object, wide(999)]) {
      expect(await query('team/none', { query: { $expr } })).toEqual([]);
    }
    for (const $expr of [deep(33), deep(2_054), wide(1_000)]) {
      expect(await refusalsOf('/cost/query', $expr)).toEqual([
        { loc: ['body', 'query', '$expr'], type: 'too_long' },
      ]);
    }
  });

  test.each(['/cost/query', '/cost/purge'])(
    '%s refuses an expression of 100,000 levels, which would exhaust the stack',
    async (path) => {
      const levels = 100_000;
      const body = `{"project_id":"team/none","query":{"$expr":${deep(levels)}}}`;
      const answer = await usageClient.service.send(path, { body });
      expect(answer.status, answer.text.slice(0, 200)).toBe(422);
      expect(answer.text).toContain('"type":"too_long"');
    },
  );
});

/** Where and with which type an expression, or its JSON, is refused. */
async function refusalsOf(path: string, $expr: object | string): Promise<object[]> {
  const text = typeof $expr === 'string' ? $expr : JSON.stringify($expr);
  const body = `{"project_id":"team/none","query":{"$expr":${text}}}`;
  const answer = await usageClient.service.send(path, { body });
  expect(answer.status, answer.text).toBe(422);
  const { detail } = answer.json() as { detail: { loc: unknown; type: string }[] };
  return detail.map(({ loc, type }) => ({ loc, type }));
}

/** The JSON of an expression of so many levels, and one more; JSON.stringify may overflow its stack. */
function deep(levels: number): string {
  return `${'{"$not":['.repeat(levels)}{"$literal":true}${']}'.repeat(levels)}`;
}

describe('POST /cost/purge', () => {
  const purge = (project_id: string, $expr: object) =>
    usageClient.service.send('/cost/purge', { body: { project_id, query: { $expr } } });

  test('deletes prices, which the next usage answer does not apply', async () => {
    const project = usageClient.newProject();
    await project.setPrices({ m: { prompt_token_cost: 0.001, completion_token_cost: 0.001 } });
    await project.setPrices({
      m: {
        ...{ prompt_token_cost: 0.005, completion_token_cost: 0.001 },
        effective_date: '2020-01-01T00:00:00Z',
      },
    });
    await project.sendCompleteCalls({ id: 'root', usage: { m: { prompt_tokens: 10 } } });
    const costOf = async (): Promise<unknown> =>
      (await project.queryUsage(['root'], { include_costs: true })).call_usage['root']?.['m']
        ?.prompt_tokens_total_cost;
    const [oldId, newId] = (await query(project.id)).map((price) => price['id']);
    expect(await costOf()).toBe(10 * 0.005);
    expect((await purge(project.id, { $eq: [field('id'), literal(oldId)] })).text).toBe('{}');
    expect(await costOf()).toBe(10 * 0.001);
    const both = { $or: [{ $in: [field('id'), [literal(newId), literal('unknown')]] }] };
    expect((await purge(project.id, both)).status).toBe(200);
    expect(await costOf()).toBeNull();
    expect(await query(project.id)).toEqual([]);
  });

  test('deletes no default prices and none of other projects', async () => {
    const [one, other] = [await createProject(), await createProject()];
    const ids = (await query(other)).map((price) => literal(price['id']));
    const defaults = await usageClient.clickhouse.query<{ id: string }>(
      "SELECT id FROM llm_token_prices WHERE pricing_level = 'default' LIMIT 100",
    );
    expect(defaults.length).toBeGreaterThan(0);
    const all = [...ids, ...defaults.map(({ id }) => literal(id))];
    expect((await purge(one, { $in: [field('id'), all] })).status).toBe(200);
    expect(await query(other)).toHaveLength(ids.length);
    const remaining = await usageClient.clickhouse.query<{ rows: string }>(
      `SELECT count() AS rows FROM llm_token_prices FINAL
        WHERE pricing_level = 'default' AND id IN ({ids: Array(String)})`,
      { ids: defaults.map(({ id }) => id) },
    );
    expect(Number(remaining[0]?.rows)).toBe(defaults.length);
  });

  test.each([
    [{ $eq: [field('llm_id'), literal('a')] }],
    [{ $gt: [field('id'), literal('')] }],
    [{ $not: [{ $eq: [field('id'), literal('a')] }] }],
    [{ $or: [] }],
    [{ $eq: [field('id'), literal(1)] }],
    [{ $literal: true }],
  ])('refuses an expression that does not select by id, with 400: %j', async ($expr) => {
    const answer = await purge('team/none', $expr);
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({
      detail: 'Can only purge costs by specifying one or more cost ids',
    });
  });

  test('refuses an invalid expression, and one of more than 32 levels, with 422', async () => {
    const at = ['body', 'query', '$expr'];
    expect(await refusalsOf('/cost/purge', { $in: [field('id'), literal('a')] })).toEqual([
      { loc: [...at, '$in', 1], type: 'list_type' },
    ]);
    for (const $expr of [deep(33), deep(2_054)]) {
      expect(await refusalsOf('/cost/purge', $expr)).toEqual([{ loc: at, type: 'too_long' }]);
    }
  });

  test('accepts more ids than /cost/query accepts operands', async () => {
    const ids = Array(10_000).fill(literal('unknown'));
    expect((await purge('team/none', { $in: [field('id'), ids] })).status).toBe(200);
  });
});
