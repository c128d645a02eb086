import { beforeAll, describe, expect, test } from 'vitest';
import type { UsageRow } from '../../../src/usage/usage-row.ts';
import { type Row, completeRow } from '../../support/part-rows.ts';
import { readUsage } from '../../support/read-usage.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const opened = clickhouseFixture();

/** A row of `llm_token_prices`; what is left out is the same for all. */
interface PriceRow {
  readonly llm_id: string;
  /** Whose price it is: a project's id, or `default`. */
  readonly of?: string;
  readonly from: string;
  readonly prompt?: string;
  readonly completion?: string;
  readonly more?: Row;
}

/** Ids fall while prices are made, so that no choice of the greatest id can pass for one of the latest. */
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
  // One insert a row, so that each is made later than the one before.
  for (const value of values) await opened.insert('llm_token_prices', [value]);
}

async function read(
  project: string,
  callIds: readonly string[],
  includeCosts = true,
): Promise<UsageRow[]> {
  return await readUsage(opened.clickhouse, project, callIds, includeCosts);
}

/** An amount in units of 10^-30 dollars, exact. */
function units(amount: string): bigint {
  const [whole = '', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(30, '0'));
}

describe('the price of a call', () => {
  const started = '2026-06-15 12:00:00.000001';
  const [long, before, after, far] = ['2020-01-01', '2026-01-01', '2026-07-01', '2030-01-01'].map(
    (day) => `${day} 00:00:00`,
  ) as [string, string, string, string];
  const project = 'p/mine';

  interface Case {
    readonly name: string;
    /** In the order in which they are made. */
    readonly rows: readonly Omit<PriceRow, 'llm_id'>[];
    /** The row that holds, by its place; undefined where none does. */
    readonly holds: number | undefined;
    readonly startedAt?: string;
  }
  const mine = (from: string, more: Row = {}) => ({ from, more });
  const standard = (from: string, more: Row = {}) => ({ of: 'default', from, more });

  const choices: Case[] = [
    { name: 'is none where there is no row', rows: [], holds: undefined },
    { name: 'is the only row, of the project', rows: [mine(before)], holds: 0 },
    { name: 'is the only row, a default one', rows: [standard(before)], holds: 0 },
    {
      name: 'is the project’s before a default one',
      rows: [standard(before), mine(before)],
      holds: 1,
    },
    {
      name: 'is the project’s before a default one that is later',
      rows: [mine(long), standard(before)],
      holds: 0,
    },
    {
      name: 'is the latest of the project',
      rows: [mine(long), mine(before), mine('2023-01-01 00:00:00')],
      holds: 1,
    },
    {
      name: 'is the latest default one',
      rows: [standard(before), standard(long), standard('2023-01-01 00:00:00')],
      holds: 0,
    },
    {
      name: 'is an effective default one before a future one of the project',
      rows: [mine(after), standard(long)],
      holds: 1,
    },
    {
      name: 'is an effective one of the project before a future one that is nearer',
      rows: [mine(after), mine(long), standard(after)],
      holds: 1,
    },
    {
      name: 'is an effective default one before all that are future',
      rows: [mine(after), standard(far), standard(before), mine(far)],
      holds: 2,
    },
    {
      name: 'is the earliest where all are future, of the project',
      rows: [mine(far), mine(after), mine('2028-01-01 00:00:00')],
      holds: 1,
    },
    {
      name: 'is the earliest where all are future, of the defaults',
      rows: [standard(far), standard(after)],
      holds: 1,
    },
    {
      name: 'is the project’s earliest where all are future, though a default one is earlier',
      rows: [standard(after), mine(far), mine('2040-01-01 00:00:00')],
      holds: 1,
    },
    { name: 'holds from its very microsecond', rows: [mine(long), mine(started)], holds: 1 },
    {
      name: 'does not hold a microsecond before',
      rows: [mine(long), mine('2026-06-15 12:00:00.000002')],
      holds: 0,
    },
    {
      name: 'holds a microsecond after',
      rows: [mine(long), mine('2026-06-15 12:00:00.000000')],
      holds: 1,
    },
    {
      name: 'of one date is the one made last',
      rows: [mine(before), mine(before), standard(before)],
      holds: 1,
    },
    {
      name: 'of one default date is the one made last',
      rows: [standard(before), standard(before)],
      holds: 1,
    },
    {
      name: 'of one future date is the one made last',
      rows: [mine(far), mine(far), mine('2040-01-01 00:00:00')],
      holds: 1,
    },
    {
      name: 'of one date is the one that says it was made last, whenever it was stored',
      rows: [
        mine(before, { created_at: '2026-03-03 00:00:00.000001' }),
        mine(before, { created_at: '2026-03-03 00:00:00.000000' }),
      ],
      holds: 0,
    },
    {
      name: 'is not another project’s',
      rows: [
        { of: 'p/other', from: before },
        { of: 'p/mine2', from: before },
      ],
      holds: undefined,
    },
    {
      name: 'is not another project’s before a default one',
      rows: [standard(long), { of: 'p/other', from: before }],
      holds: 0,
    },
    {
      name: 'is not that of a project called default',
      rows: [{ from: before, more: { pricing_level_id: 'default' } }],
      holds: undefined,
    },
    {
      name: 'is no default row that names a project',
      rows: [{ of: 'default', from: before, more: { pricing_level_id: project } }],
      holds: undefined,
    },
    {
      name: 'is the same whoever provides the model',
      rows: [
        mine(before, { provider_id: 'openai' }),
        mine(long, { provider_id: 'default' }),
        standard(before, { provider_id: 'azure' }),
      ],
      holds: 0,
    },
    {
      name: 'is none that was taken back',
      rows: [mine(long), mine(before, { id: 'back' }), mine(before, { id: 'back', is_deleted: 1 })],
      holds: 0,
    },
    {
      name: 'is the row as it was corrected',
      rows: [mine(long, { id: 'corrected' }), mine(long, { id: 'corrected' })],
      holds: 1,
    },
    {
      name: 'holds for a call of 1900',
      rows: [mine(before), mine('1900-01-01 00:00:00')],
      startedAt: '1900-01-01 00:00:00.000000',
      holds: 1,
    },
    {
      name: 'holds for a call of 1969, before the first date of all',
      rows: [mine(before), mine('1969-12-31 23:59:59.000001')],
      startedAt: '1969-12-31 23:59:59.000000',
      holds: 1,
    },
    {
      name: 'holds for a call of 1969, a microsecond later',
      rows: [mine(before), mine('1960-01-01 00:00:00'), mine('1969-12-31 23:59:59.000001')],
      startedAt: '1969-12-31 23:59:59.000001',
      holds: 2,
    },
    {
      name: 'holds for a call of 2299',
      rows: [mine('2299-12-31 23:59:59.999999'), mine(far)],
      startedAt: '2299-12-31 23:59:59.999999',
      holds: 0,
    },
  ];

  /** Names like `model` and `modèle`, all priced: in capitals, longer, a pattern, composed otherwise. */
  const names = ['Model', 'model ', 'vendor/model', 'model-2026-01-01', 'mod%', '', 'mode\u0300le'];

  /** Price of the nth row of a case: a power of two, so that no two sums are alike. */
  const priceOf = (index: number): string => String(2 ** index);
  let rows: UsageRow[];

  beforeAll(async () => {
    for (const { name, rows } of choices) {
      const priced = rows.map((row, index) => ({ ...row, llm_id: name, prompt: priceOf(index) }));
      await insertPrices(project, priced);
    }
    const others = names.map((llm_id) => ({ llm_id, from: before, prompt: '1' }));
    await insertPrices(project, others);
    // Each case is a model, each model has a call of one prompt token.
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

  test.each(choices)('$name', ({ name, holds }) => {
    expect(costOf(name)).toBe(holds === undefined ? null : priceOf(holds));
  });

  test('is not that of a model with a name like it', () => {
    expect([costOf('model'), costOf('modèle')]).toEqual([null, null]);
  });

  test('is not asked for where costs are not included', async () => {
    const free = await read(
      project,
      choices.map(({ name }) => name),
      false,
    );
    expect(free).toHaveLength(choices.length);
    for (const row of free) {
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

  /** Prompt and completion cost of one call with some usage, in units. */
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
      'none at the prompt price where all are cached',
      { prompt_tokens: 500, ...cached(300, 200) },
      cachePrices,
      at(300, cacheRead) + at(200, cacheCreation),
    ],
    [
      'all of prompt at the prompt price where cached tokens are one more: they are counted apart',
      { prompt_tokens: 499, ...cached(300, 200) },
      cachePrices,
      at(499, prompt) + at(300, cacheRead) + at(200, cacheCreation),
    ],
    [
      'cached tokens alone where there is no prompt',
      { ...cached(300, 200), requests: 1 },
      cachePrices,
      at(300, cacheRead) + at(200, cacheCreation),
    ],
    [
      'cached tokens at the prompt price where no cache price is set',
      { prompt_tokens: 1_000, ...cached(300, 200) },
      {},
      at(1_000, prompt),
    ],
    [
      'cached tokens apart at the prompt price too',
      { prompt_tokens: 100, ...cached(300, 200) },
      {},
      at(100 + 300 + 200, prompt),
    ],
    [
      'read tokens at the prompt price where only creation has one',
      { prompt_tokens: 1_000, ...cached(300, 200) },
      { cache_creation_input_token_cost: cacheCreation },
      at(1_000 - 200, prompt) + at(200, cacheCreation),
    ],
    [
      'created tokens at the prompt price where only reading has one',
      { prompt_tokens: 1_000, ...cached(300, 200) },
      { cache_read_input_token_cost: cacheRead },
      at(1_000 - 300, prompt) + at(300, cacheRead),
    ],
    [
      'nothing for cached tokens whose price is 0',
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

  test('charge completion tokens at the completion price, whatever the total says', async () => {
    const usage = { completion_tokens: 40, output_tokens: 2, total_tokens: 9_999, requests: 5 };
    expect(await costsOf(usage, {})).toEqual([0n, at(40 + 2, completion)]);
  });

  test('are 0 where the price is, and null where there is none', async () => {
    const free = { prompt_token_cost: '0', completion_token_cost: '0' };
    expect(await costsOf({ prompt_tokens: 5, completion_tokens: 5 }, free)).toEqual([0n, 0n]);
    expect(await costsOf({ prompt_tokens: 5 }, { llm_id: 'other' })).toEqual([null, null]);
  });

  test('keep all thirty decimals of a price, times the greatest counter', async () => {
    const [small, long] = [
      '0.000000000000000000000000000001',
      '999.123456789012345678901234567891',
    ];
    const most = 2 ** 53 - 1;
    const usage = { prompt_tokens: most, completion_tokens: most };
    const more = { prompt_token_cost: small, completion_token_cost: long };
    expect(await costsOf(usage, more)).toEqual([at(most, small), at(most, long)]);
  });

  test('of the dearest price over the most tokens do not overflow', async () => {
    const most = 2 ** 53 - 1;
    const calls = 3_000;
    const entry = { prompt_tokens: most, input_tokens: most, completion_tokens: most };
    await insertPrices('p/dear', [
      { llm_id: 'm', from: '2020-01-01 00:00:00', prompt: '1000', completion: '1000' },
    ]);
    await opened.insert(
      'call_parts',
      Array.from({ length: calls }, (_, index) =>
        completeRow('p/dear', { id: `${index}`, parent: index ? '0' : '', usage: { m: entry } }),
      ),
    );
    const [row] = await read('p/dear', ['0']);
    expect(units(row?.prompt_cost ?? '')).toBe(at(BigInt(calls) * 2n * BigInt(most), '1000'));
    expect(units(row?.completion_cost ?? '')).toBe(at(BigInt(calls) * BigInt(most), '1000'));
  });

  test('follow prices that change in the middle of a trace, model by model', async () => {
    const dates = ['2026-01-01', '2026-02-01', '2026-03-01'].map((day) => `${day} 00:00:00.000000`);
    const steps = ['1', '10', '100'];
    await insertPrices(
      'p/middle',
      dates.map((from, index) => ({ llm_id: 'm', from, prompt: steps[index] ?? '' })),
    );
    await insertPrices('p/middle', [{ llm_id: 'n', from: dates[1] ?? '', prompt: '7' }]);
    // Four calls: before all dates, and on each; call i used 2^i tokens of each model.
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
    // Before its first date the first price holds.
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
