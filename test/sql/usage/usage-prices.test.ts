import { beforeAll, describe, expect, test } from 'vitest';
import { type Row, completeRow } from '../../support/rows/part-rows.ts';
import { type ReadRow, readUsage } from '../../support/read-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

/** The columns of a row of `llm_token_prices` that a test sets; all others have fixed values. */
interface PriceRow {
  readonly llm_id: string;
  /** `pricing_level_id`: a project's id, or `default`. */
  readonly of?: string;
  readonly from: string;
  readonly prompt?: string;
  readonly completion?: string;
  readonly more?: Row;
}

/** Ids descend, so that choosing the greatest id does not pass for choosing the latest price. */
let nextId = 1_000_000;

async function insertPrices(project: string, rows: readonly PriceRow[]): Promise<void> {
  const values = rows.map(
    ({ llm_id, of = project, from, prompt = '0', completion = '0', more }) => ({
      id: `price-${(nextId -= 1)}`,
      pricing_level: of === 'default' ? 'default' : 'project',
      pricing_level_id: of,
      provider_id: 'default',
      llm_id,
      effective_date: from,
      prompt_token_cost: prompt,
      completion_token_cost: completion,
      created_by: 'test',
      ...more,
    }),
  );
  // One insert per row, so that each row is created later than the previous one.
  for (const value of values) await opened.insert('llm_token_prices', [value]);
}

async function read(
  project: string,
  callIds: readonly string[],
  includeCosts = true,
): Promise<ReadRow[]> {
  return await readUsage(opened.clickhouse, project, callIds, includeCosts);
}

/** An amount in units of 10^-30 USD, exact. */
function units(amount: string): bigint {
  const [whole = '', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(30, '0'));
}

describe('the price of a call', () => {
  const started = '2026-06-15 12:00:00.000001';
  const [long, before, after, far] = ['2020-01-01', '2026-01-01', '2026-07-01', '2030-01-01'].map(
    (day) => `${day} 00:00:00`,
  ) as [string, string, string, string];
  const project = 'p/prices';

  interface Case {
    readonly name: string;
    /** In the order of creation. */
    readonly rows: readonly Omit<PriceRow, 'llm_id'>[];
    /** The index of the row that applies; undefined for none. */
    readonly applies: number | undefined;
    readonly startedAt?: string;
  }
  const ofProject = (from: string, more: Row = {}) => ({ from, more });
  const ofDefault = (from: string, more: Row = {}) => ({ of: 'default', from, more });

  const choices: Case[] = [
    { name: 'is null without any row', rows: [], applies: undefined },
    { name: 'is the only row, a project price', rows: [ofProject(before)], applies: 0 },
    { name: 'is the only row, a default price', rows: [ofDefault(before)], applies: 0 },
    {
      name: 'is a project price rather than a default price',
      rows: [ofDefault(before), ofProject(before)],
      applies: 1,
    },
    {
      name: 'is a project price rather than a later default price',
      rows: [ofProject(long), ofDefault(before)],
      applies: 0,
    },
    {
      name: 'is the latest project price',
      rows: [ofProject(long), ofProject(before), ofProject('2023-01-01 00:00:00')],
      applies: 1,
    },
    {
      name: 'is the latest default price',
      rows: [ofDefault(before), ofDefault(long), ofDefault('2023-01-01 00:00:00')],
      applies: 0,
    },
    {
      name: 'is a default price in force rather than a future project price',
      rows: [ofProject(after), ofDefault(long)],
      applies: 1,
    },
    {
      name: 'is a project price in force rather than a future price that is closer in time',
      rows: [ofProject(after), ofProject(long), ofDefault(after)],
      applies: 1,
    },
    {
      name: 'is the default price in force rather than any future price',
      rows: [ofProject(after), ofDefault(far), ofDefault(before), ofProject(far)],
      applies: 2,
    },
    {
      name: 'is the earliest project price if all are in the future',
      rows: [ofProject(far), ofProject(after), ofProject('2028-01-01 00:00:00')],
      applies: 1,
    },
    {
      name: 'is the earliest default price if all are in the future',
      rows: [ofDefault(far), ofDefault(after)],
      applies: 1,
    },
    {
      name: 'is the earliest project price if all are in the future, even if a default price is earlier',
      rows: [ofDefault(after), ofProject(far), ofProject('2040-01-01 00:00:00')],
      applies: 1,
    },
    {
      name: 'applies to a call that starts in the microsecond of its effective date',
      rows: [ofProject(long), ofProject(started)],
      applies: 1,
    },
    {
      name: 'does not apply to a call that starts a microsecond before its effective date',
      rows: [ofProject(long), ofProject('2026-06-15 12:00:00.000002')],
      applies: 0,
    },
    {
      name: 'applies to a call that starts a microsecond after its effective date',
      rows: [ofProject(long), ofProject('2026-06-15 12:00:00.000000')],
      applies: 1,
    },
    {
      name: 'is the project price created last, if dates are equal',
      rows: [ofProject(before), ofProject(before), ofDefault(before)],
      applies: 1,
    },
    {
      name: 'is the default price created last, if dates are equal',
      rows: [ofDefault(before), ofDefault(before)],
      applies: 1,
    },
    {
      name: 'is the future price created last, if dates are equal',
      rows: [ofProject(far), ofProject(far), ofProject('2040-01-01 00:00:00')],
      applies: 1,
    },
    {
      name: 'is the price with the latest created_at, whatever the order of inserts, if dates are equal',
      rows: [
        ofProject(before, { created_at: '2026-03-03 00:00:00.000001' }),
        ofProject(before, { created_at: '2026-03-03 00:00:00.000000' }),
      ],
      applies: 0,
    },
    {
      name: 'is never that of another project',
      rows: [
        { of: 'p/other', from: before },
        { of: 'p/prices2', from: before },
      ],
      applies: undefined,
    },
    {
      name: 'is a default price rather than that of another project',
      rows: [ofDefault(long), { of: 'p/other', from: before }],
      applies: 0,
    },
    {
      name: 'is never that of a project with the id default',
      rows: [{ from: before, more: { pricing_level_id: 'default' } }],
      applies: undefined,
    },
    {
      name: 'is never a default price with a project’s id',
      rows: [{ of: 'default', from: before, more: { pricing_level_id: project } }],
      applies: undefined,
    },
    {
      name: 'does not depend on the provider',
      rows: [
        ofProject(before, { provider_id: 'openai' }),
        ofProject(long, { provider_id: 'default' }),
        ofDefault(before, { provider_id: 'azure' }),
      ],
      applies: 0,
    },
    {
      name: 'is never a deleted price',
      rows: [
        ofProject(long),
        ofProject(before, { id: 'back' }),
        ofProject(before, { id: 'back', is_deleted: 1 }),
      ],
      applies: 0,
    },
    {
      name: 'is the last version of a row',
      rows: [ofProject(long, { id: 'corrected' }), ofProject(long, { id: 'corrected' })],
      applies: 1,
    },
    {
      name: 'applies to a call of 1900',
      rows: [ofProject(before), ofProject('1900-01-01 00:00:00')],
      startedAt: '1900-01-01 00:00:00.000000',
      applies: 1,
    },
    {
      name: 'applies to a call of 1969 before all effective dates',
      rows: [ofProject(before), ofProject('1969-12-31 23:59:59.000001')],
      startedAt: '1969-12-31 23:59:59.000000',
      applies: 1,
    },
    {
      name: 'applies to a call of 1969 in the microsecond of its effective date',
      rows: [
        ofProject(before),
        ofProject('1960-01-01 00:00:00'),
        ofProject('1969-12-31 23:59:59.000001'),
      ],
      startedAt: '1969-12-31 23:59:59.000001',
      applies: 2,
    },
    {
      name: 'applies to a call of 2299',
      rows: [ofProject('2299-12-31 23:59:59.999999'), ofProject(far)],
      startedAt: '2299-12-31 23:59:59.999999',
      applies: 0,
    },
  ];

  /** Priced models with names similar to `model` and `modèle`: other case, longer, a pattern, another Unicode form. */
  const names = ['Model', 'model ', 'vendor/model', 'model-2026-01-01', 'mod%', '', 'mode\u0300le'];

  /** The price of the nth row of a case: a power of two, so that no two sums are equal. */
  const priceOf = (index: number): string => String(2 ** index);
  let rows: ReadRow[];

  beforeAll(async () => {
    for (const { name, rows } of choices) {
      const priced = rows.map((row, index) => ({ ...row, llm_id: name, prompt: priceOf(index) }));
      await insertPrices(project, priced);
    }
    const others = names.map((llm_id) => ({ llm_id, from: before, prompt: '1' }));
    await insertPrices(project, others);
    // Each case has a model of its name, and each model has a call with one prompt token.
    const calls = [
      ...choices.map(({ name, startedAt = started }) => ({ model: name, startedAt })),
      ...['model', 'modèle'].map((model) => ({ model, startedAt: started })),
    ];
    await opened.insert(
      'call_parts',
      calls.map(({ model, startedAt }) =>
        completeRow(project, { id: model, startedAt, usage: { [model]: { prompt_tokens: 1 } } }),
      ),
    );
    rows = await read(
      project,
      calls.map(({ model }) => model),
    );
  });

  const costOf = (model: string): string | null | undefined =>
    rows.find((row) => row.model === model)?.prompt_cost;

  test.each(choices)('$name', ({ name, applies }) => {
    expect(costOf(name)).toBe(applies === undefined ? null : priceOf(applies));
  });

  test('is never that of a model with a similar name', () => {
    expect([costOf('model'), costOf('modèle')]).toEqual([null, null]);
  });

  test('is not read unless costs are requested', async () => {
    const withoutCosts = await read(
      project,
      choices.map(({ name }) => name),
      false,
    );
    expect(withoutCosts).toHaveLength(choices.length);
    for (const row of withoutCosts) {
      expect(row).toMatchObject({ prompt_cost: null, completion_cost: null, prompt_tokens: '1' });
    }
  });
});

describe('costs', () => {
  const [prompt, completion, cacheRead, cacheCreation] = [
    '0.000003',
    '0.000015',
    '0.0000003',
    '0.00000375',
  ];
  const cachePrices = {
    cache_read_input_token_cost: cacheRead,
    cache_creation_input_token_cost: cacheCreation,
  };
  const cached = (read: number, creation: number) => ({
    cache_read_input_tokens: read,
    cache_creation_input_tokens: creation,
  });
  const at = (tokens: number | bigint, price: string): bigint => BigInt(tokens) * units(price);

  let project = '';
  let projects = 0;

  /** Prompt and completion cost of one call with this usage, in units of 10^-30 USD. */
  async function costsOf(usage: object, more: Row): Promise<(bigint | null)[]> {
    project = `p/costs-${(projects += 1)}`;
    await insertPrices(project, [
      {
        llm_id: 'm',
        from: '2020-01-01 00:00:00',
        prompt,
        completion,
        more,
      },
    ]);
    await opened.insert('call_parts', [completeRow(project, { id: 'a', usage: { m: usage } })]);
    const [row, ...others] = await read(project, ['a']);
    expect(others).toEqual([]);
    return [row?.prompt_cost, row?.completion_cost].map((cost) =>
      typeof cost === 'string' ? units(cost) : null,
    );
  }

  test.each<[string, object, Row, bigint]>([
    ['all tokens at the prompt price', { prompt_tokens: 1_000 }, cachePrices, at(1_000, prompt)],
    [
      'cached tokens at their own prices, the rest at the prompt price',
      { prompt_tokens: 1_000, ...cached(300, 200) },
      cachePrices,
      at(1_000 - 300 - 200, prompt) + at(300, cacheRead) + at(200, cacheCreation),
    ],
    [
      'no tokens at the prompt price if all are cached',
      { prompt_tokens: 500, ...cached(300, 200) },
      cachePrices,
      at(300, cacheRead) + at(200, cacheCreation),
    ],
    [
      'the whole prompt at the prompt price if it has fewer tokens than the cache: then cached tokens are not part of it',
      { prompt_tokens: 499, ...cached(300, 200) },
      cachePrices,
      at(499, prompt) + at(300, cacheRead) + at(200, cacheCreation),
    ],
    [
      'cached tokens only, without prompt tokens',
      { ...cached(300, 200), requests: 1 },
      cachePrices,
      at(300, cacheRead) + at(200, cacheCreation),
    ],
    [
      'cached tokens at the prompt price if there is no cache price',
      { prompt_tokens: 1_000, ...cached(300, 200) },
      {},
      at(1_000, prompt),
    ],
    [
      'cached tokens that are not part of the prompt at the prompt price if there is no cache price',
      { prompt_tokens: 100, ...cached(300, 200) },
      {},
      at(100 + 300 + 200, prompt),
    ],
    [
      'cache reads at the prompt price if only cache creation has a price',
      { prompt_tokens: 1_000, ...cached(300, 200) },
      { cache_creation_input_token_cost: cacheCreation },
      at(1_000 - 200, prompt) + at(200, cacheCreation),
    ],
    [
      'cache creation at the prompt price if only cache reads have a price',
      { prompt_tokens: 1_000, ...cached(300, 200) },
      { cache_read_input_token_cost: cacheRead },
      at(1_000 - 300, prompt) + at(300, cacheRead),
    ],
    [
      'nothing for cached tokens with a price of 0',
      { prompt_tokens: 1_000, ...cached(300, 200) },
      { cache_read_input_token_cost: '0', cache_creation_input_token_cost: '0' },
      at(1_000 - 300 - 200, prompt),
    ],
    [
      'the greatest counters',
      {
        prompt_tokens: 2 ** 53 - 1,
        input_tokens: 2 ** 53 - 1,
        ...cached(2 ** 53 - 1, 2 ** 53 - 1),
      },
      cachePrices,
      at(2 ** 53 - 1, cacheRead) + at(2 ** 53 - 1, cacheCreation),
    ],
  ])('charge %s', async (_, usage, more, expected) => {
    expect(await costsOf(usage, more)).toEqual([expected, 0n]);
  });

  test('charge completion tokens at the completion price, whatever total_tokens is', async () => {
    const usage = { completion_tokens: 40, output_tokens: 2, total_tokens: 9_999, requests: 5 };
    expect(await costsOf(usage, {})).toEqual([0n, at(40 + 2, completion)]);
  });

  test('are 0 for a price of 0, and null without a price', async () => {
    const free = { prompt_token_cost: '0', completion_token_cost: '0' };
    expect(await costsOf({ prompt_tokens: 5, completion_tokens: 5 }, free)).toEqual([0n, 0n]);
    expect(await costsOf({ prompt_tokens: 5 }, { llm_id: 'other' })).toEqual([null, null]);
  });

  test('keep all thirty decimals of a price for the greatest counter', async () => {
    const [small, long] = [
      '0.000000000000000000000000000001',
      '999.123456789012345678901234567891',
    ];
    const largest = 2 ** 53 - 1;
    const usage = { prompt_tokens: largest, completion_tokens: largest };
    const more = { prompt_token_cost: small, completion_token_cost: long };
    expect(await costsOf(usage, more)).toEqual([at(largest, small), at(largest, long)]);
  });

  test('do not overflow for the most expensive price and the greatest counters', async () => {
    const largest = 2 ** 53 - 1;
    const calls = 3_000;
    const entry = { prompt_tokens: largest, input_tokens: largest, completion_tokens: largest };
    await insertPrices('p/expensive', [
      { llm_id: 'm', from: '2020-01-01 00:00:00', prompt: '1000', completion: '1000' },
    ]);
    await opened.insert(
      'call_parts',
      Array.from({ length: calls }, (_, index) =>
        completeRow('p/expensive', {
          id: `${index}`,
          parent: index ? '0' : '',
          usage: { m: entry },
        }),
      ),
    );
    const [row] = await read('p/expensive', ['0']);
    expect(units(row?.prompt_cost ?? '')).toBe(at(BigInt(calls) * 2n * BigInt(largest), '1000'));
    expect(units(row?.completion_cost ?? '')).toBe(at(BigInt(calls) * BigInt(largest), '1000'));
  });

  test('use the prices of each model at the time of each call if prices change within a trace', async () => {
    const dates = ['2026-01-01', '2026-02-01', '2026-03-01'].map((day) => `${day} 00:00:00.000000`);
    const steps = ['1', '10', '100'];
    await insertPrices(
      'p/middle',
      dates.map((from, index) => ({ llm_id: 'm', from, prompt: steps[index] ?? '' })),
    );
    await insertPrices('p/middle', [{ llm_id: 'n', from: dates[1] ?? '', prompt: '7' }]);
    // One call before all dates, and one on each date; call i used 2^i tokens of each model.
    const starts = ['2025-12-31 00:00:00.000000', ...dates];
    const usage = (index: number) => {
      const entry = { prompt_tokens: 2 ** index };
      return { m: entry, n: entry, unpriced: entry };
    };
    await opened.insert(
      'call_parts',
      starts.map((startedAt, index) =>
        completeRow('p/middle', {
          id: `call-${index}`,
          parent: index ? 'call-0' : '',
          startedAt,
          usage: usage(index),
        }),
      ),
    );
    const rows = await read('p/middle', ['call-0']);
    const sumOf = (model: string): bigint | null => {
      const costs = rows.filter((row) => row.model === model).map((row) => row.prompt_cost);
      return costs.includes(null) ? null : costs.reduce((sum, cost) => sum + units(cost ?? ''), 0n);
    };
    // The first price also applies before its date.
    expect(sumOf('m')).toBe(at(1, '1') + at(2, '1') + at(4, '10') + at(8, '100'));
    expect(sumOf('n')).toBe(at(1 + 2 + 4 + 8, '7'));
    expect(sumOf('unpriced')).toBeNull();
    const tokens = rows
      .filter((row) => row.model === 'm')
      .reduce((sum, row) => sum + Number(row.prompt_tokens), 0);
    expect(tokens).toBe(1 + 2 + 4 + 8);
    expect(rows.reduce((sum, row) => sum + Number(row.calls), 0)).toBe(4);
  });
});
