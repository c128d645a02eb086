import { describe, expect, test } from 'vitest';
import { readPriceBook } from '../../../src/prices/catalog/price-book.ts';
import type { PriceClass } from '../../../src/prices/snapshot/choose-row.ts';
import type { PriceSnapshot } from '../../../src/prices/snapshot/price-snapshot.ts';
import { PriceSnapshots } from '../../../src/prices/snapshot/price-snapshots.ts';
import { defaultPrice } from '../../support/default-price.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();
const { signal } = new AbortController();

const always: PriceClass = {
  ...{ periodUs: 0n, promptSize: 0n, serviceTier: '', minuteOfWeek: 0 },
};

const ofProject = (pricing_level_id: string, fields: object): object =>
  defaultPrice({ pricing_level: 'project', pricing_level_id, ...fields });

/** Price snapshots on the database of this file, and how often they read which level. */
function openSnapshots({ maxProjectRows = 1_000 } = {}): {
  readonly snapshots: PriceSnapshots;
  readonly reads: string[];
} {
  const reads: string[] = [];
  const { clickhouse } = database;
  const read: typeof clickhouse.read = (name, parameters, options) => {
    if (name === 'price_rows') reads.push(String(parameters['pricing_level_id']));
    return clickhouse.read(name, parameters, options);
  };
  const options = { clickhouse: { read }, readBook: readPriceBook, maxProjectRows };
  return { snapshots: new PriceSnapshots(options), reads };
}

/** USD × 10^30 per prompt token. */
const promptCost = (snapshot: PriceSnapshot, model: string, at = always): bigint | undefined =>
  snapshot.choose(model, at)?.row.costs.prompt_token_cost;

const dollar = 10n ** 30n;

describe('what is read', () => {
  test('a price that somebody else stores is in the next snapshot', async () => {
    const { snapshots } = openSnapshots();
    const project = 'p/next';
    const current = () => snapshots.current(project, signal);
    expect(promptCost(await current(), 'new')).toBeUndefined();
    await database.insert('llm_token_prices', [
      defaultPrice({ id: 'new', llm_id: 'new', prompt_token_cost: '1' }),
    ]);
    expect(promptCost(await current(), 'new')).toBe(dollar);
    const own = ofProject(project, { id: 'own', llm_id: 'new', prompt_token_cost: '2' });
    await database.insert('llm_token_prices', [own]);
    expect(promptCost(await current(), 'new')).toBe(2n * dollar);
    await database.clickhouse.write('purge_costs', { project_id: project, cost_ids: ['own'] });
    expect(promptCost(await current(), 'new')).toBe(dollar);
  });

  test('only what changed is read again, and requests at the same time share a read', async () => {
    const { snapshots, reads } = openSnapshots();
    const price = (project: string) => ofProject(project, { id: 'a', llm_id: 'm' });
    await database.insert('llm_token_prices', ['p/a', 'p/b'].map(price));
    const use = (...projects: string[]) =>
      Promise.all(projects.map((project) => snapshots.current(project, signal)));
    await use('p/a', 'p/a', 'p/b', 'p/none');
    expect(reads.sort()).toEqual(['default', 'p/a', 'p/b']);
    await use('p/a', 'p/b', 'p/none');
    expect(reads).toHaveLength(3);
    await database.insert('llm_token_prices', [ofProject('p/a', { id: 'b', llm_id: 'm' })]);
    await use('p/a', 'p/b');
    expect(reads.slice(3)).toEqual(['p/a']);
  });

  test('prices of projects are kept up to a number of rows, those of the last project always', async () => {
    const { snapshots, reads } = openSnapshots({ maxProjectRows: 3 });
    const rows = (project: string, count: number) =>
      Array.from({ length: count }, (_, id) => ofProject(project, { id: `${id}`, llm_id: 'm' }));
    await database.insert('llm_token_prices', [
      ...[...rows('p/1', 1), ...rows('p/2', 2), ...rows('p/3', 1), ...rows('p/5', 5)],
    ]);
    const use = async (...projects: string[]): Promise<string[]> => {
      reads.length = 0;
      for (const project of projects) await snapshots.current(project, signal);
      return reads.filter((level) => level !== 'default');
    };
    expect(await use('p/1', 'p/2', 'p/1', 'p/2')).toEqual(['p/1', 'p/2']);
    // p/1 was used before p/2.
    expect(await use('p/3', 'p/2', 'p/1')).toEqual(['p/3', 'p/1']);
    expect(await use('p/5', 'p/5')).toEqual(['p/5']);
    expect(await use('p/1', 'p/5')).toEqual(['p/1', 'p/5']);
  });

  test('a failed read is tried again by the next request', async () => {
    const { clickhouse } = database;
    let failures = 1;
    const read: typeof clickhouse.read = (name, ...rest) =>
      name === 'price_rows' && failures-- > 0
        ? Promise.reject(new Error('lost connection'))
        : clickhouse.read(name, ...rest);
    const options = { clickhouse: { read }, readBook: readPriceBook, maxProjectRows: 1 };
    const snapshots = new PriceSnapshots(options);
    await expect(snapshots.current('p/none', signal)).rejects.toThrow('lost connection');
    await expect(snapshots.current('p/none', signal)).resolves.toMatchObject({});
  });

  test('a project named default has its own prices, and the default ones', async () => {
    const { snapshots } = openSnapshots();
    await database.insert('llm_token_prices', [
      ofProject('default', { id: 'own', llm_id: 'of the project', prompt_token_cost: '1' }),
      defaultPrice({ id: 'default', llm_id: 'of everybody', prompt_token_cost: '2' }),
    ]);
    const own = await snapshots.current('default', signal);
    const other = await snapshots.current('p/other', signal);
    const costs = (snapshot: PriceSnapshot) =>
      ['of the project', 'of everybody'].map((model) => promptCost(snapshot, model));
    expect(costs(own)).toEqual([dollar, 2n * dollar]);
    expect(costs(other)).toEqual([undefined, 2n * dollar]);
  });
});

test('the boundaries are where prices that the project sees change, each once and in order', async () => {
  const { snapshots } = openSnapshots();
  const before = await snapshots.current('p/boundaries', signal);
  const row = (id: string, day: string, above: number | string, hours: object[] = []): object =>
    ofProject('p/boundaries', {
      ...{ id, effective_date: `${day} 00:00:00`, prompt_tokens_above: above },
      minutes_of_week: hours,
    });
  await database.insert('llm_token_prices', [
    row('a', '2031-01-02', 7, [{ start: 70, end: 80 }]),
    row('b', '2031-01-01', 7),
    row('c', '2031-01-01', 8, [
      { start: 10_000, end: 10_080 },
      { start: 0, end: 70 },
    ]),
    // No prompt is as large.
    row('d', '2031-01-01', '18446744073709551615'),
  ]);
  const { boundaries } = await snapshots.current('p/boundaries', signal);
  const toSorted = <Value extends number | bigint>(values: Value[]): Value[] =>
    [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));
  const dates = ['2031-01-01', '2031-01-02'].map((day) => BigInt(Date.parse(day)) * 1_000n);
  expect(boundaries).toEqual({
    price_dates: [...before.boundaries.price_dates, ...dates],
    prompt_sizes: toSorted([...before.boundaries.prompt_sizes, 7n, 8n]),
    price_minutes: toSorted([...before.boundaries.price_minutes, 0, 70, 80, 10_000]),
  });
  expect(before.boundaries.price_dates[0]).toBe(-(2n ** 63n));
  expect(before.boundaries.prompt_sizes[0]).toBe(0n);
  expect(before.boundaries.price_minutes[0]).toBe(0);
});

describe('names', () => {
  const book = (llm_id: string, id = llm_id): object =>
    defaultPrice({ ...{ id, llm_id, prompt_token_cost: '1' }, created_by: 'the book' });

  /** What a call of gpt-4o by another name costs, with a price for each of the names in turn. */
  async function openWith(project: string, names: Readonly<Record<string, string>>) {
    await database.insert('llm_token_prices', [
      book('openai/gpt-4o'),
      book('gpt-4o'),
      ...Object.entries(names).map(([llm_id, prompt_token_cost]) =>
        ofProject(project, { id: llm_id, llm_id, prompt_token_cost }),
      ),
    ]);
    return await openSnapshots().snapshots.current(project, signal);
  }

  test('an alias has the price of the model that the price book says it is', async () => {
    const snapshot = await openWith('p/alias', {});
    expect(snapshot.choose('gpt-4o', always)).toMatchObject({ rule: 'exact' });
    expect(snapshot.choose('GPT-4o', always)).toMatchObject({
      ...{ rule: 'case', row: { level: 'default' } },
    });
    expect(snapshot.choose('gpt-4o-2024-08-06', always)).toMatchObject({ rule: 'pattern' });
    expect(snapshot.choose('my-company/gpt-4o', always)).toBeNull();
    expect(snapshot.choose('', always)).toBeNull();
  });

  test.each(['gpt-4o', 'openai/gpt-4o'])(
    'a project’s price of %s holds for its aliases, after a price of the alias itself',
    async (name) => {
      const alias = 'gpt-4o-2024-08-06';
      const without = await openWith(`p/${name}`, { [name]: '2' });
      expect(promptCost(without, name)).toBe(2n * dollar);
      expect(promptCost(without, alias)).toBe(2n * dollar);
      expect(without.choose(alias, always)).toMatchObject({ rule: 'pattern' });
      const withOwn = await openWith(`p/${name}`, { [alias]: '3' });
      expect(promptCost(withOwn, alias)).toBe(3n * dollar);
      expect(promptCost(withOwn, name)).toBe(2n * dollar);
    },
  );

  test('the row of an alias that an earlier release stores is not a price of the name', async () => {
    const alias = 'gpt-4o-2024-08-06';
    await database.insert('llm_token_prices', [
      defaultPrice({ ...{ id: 'learned', llm_id: alias, alias_of: 'gpt-4o' }, created_by: 'old' }),
    ]);
    const snapshot = await openWith('p/old release', { 'gpt-4o': '2' });
    expect(promptCost(snapshot, alias)).toBe(2n * dollar);
  });

  test('a price of the exact name applies before one of the model, also a future one', async () => {
    await database.insert('llm_token_prices', [
      defaultPrice({
        ...{ id: 'future', llm_id: 'gpt-4O', prompt_token_cost: '5' },
        effective_date: '2100-01-01 00:00:00',
      }),
    ]);
    const snapshot = await openWith('p/exact', { 'gpt-4o': '2' });
    expect(promptCost(snapshot, 'gpt-4O')).toBe(5n * dollar);
  });

  test('a project’s price leaves no class, size or service tier of the default prices', async () => {
    const conditions = [
      { prompt_tokens_above: 100 },
      { service_tier: 'batch' },
      { minutes_of_week: [{ start: 0, end: 10_080 }] },
    ];
    await database.insert('llm_token_prices', [
      ...conditions.map((condition, id) =>
        defaultPrice({ ...{ id: `${id}`, llm_id: 'both', prompt_token_cost: '9' }, ...condition }),
      ),
      defaultPrice({ id: 'classes', llm_id: 'both', cache_read_input_token_cost: '9' }),
      ofProject('p/both', { id: 'own', llm_id: 'both', prompt_token_cost: '1' }),
    ]);
    const snapshot = await openSnapshots().snapshots.current('p/both', signal);
    const price = snapshot.choose('both', { ...always, promptSize: 100n, serviceTier: 'batch' });
    expect(price).toMatchObject({ row: { level: 'project' } });
    // One token of each class of the prompt.
    const counters = [0n, 0n, 0n, 0n, 1n, 1n, 1n, 1n, 1n, 0n, 0n, 0n];
    expect(price?.cost(counters).prompt).toBe(5n * dollar);
  });
});
