import { beforeAll, describe, expect, test } from 'vitest';
import { toProduct } from '../../../src/prices/decimal.ts';
import {
  isOneOf,
  toCorrectedPrices,
  type PriceCorrection,
} from '../../../src/prices/catalog/corrections.ts';
import { toModelPrices } from '../../../src/prices/catalog/model-prices.ts';
import {
  readPriceBook,
  readReviewedFiles,
  type PriceBook,
} from '../../../src/prices/catalog/price-book.ts';
import { priceAt, rowAt, toPerMillion } from './price-at.ts';

const { corrections, decisions } = readReviewedFiles();
let book: PriceBook;
beforeAll(async () => {
  book = await readPriceBook();
});

describe('every reviewed entry', () => {
  test('names a reason, a page and a day on which somebody looked', () => {
    const { prices, classes, service_tiers } = corrections;
    const entries = [...prices, ...classes, ...service_tiers, ...decisions];
    expect(entries.length).toBeGreaterThan(130);
    for (const { reason, source, looked_up } of entries) {
      expect(reason.length, source).toBeGreaterThan(20);
      expect(source).toMatch(/^https:\/\/[a-z0-9.-]+\.[a-z]+(\/|$)/);
      expect(looked_up).toMatch(/^20\d\d-\d\d-\d\d$/);
    }
  });

  test('is there once for a model or a name, and for a model and service tier', () => {
    const models = corrections.prices.map(({ provider, model }) => `${provider}/${model}`);
    const names = decisions.flatMap((each) => each.names.map((name) => name.toLowerCase()));
    for (const list of [models, names]) expect(list).toEqual([...new Set(list)]);
    for (const [llmId, { rows }] of book.prices) {
      const keys = rows.map((row) =>
        JSON.stringify([
          row.effective_date,
          row.service_tier,
          row.minutes_of_week,
          row.prompt_tokens_above,
        ]),
      );
      expect(new Set(keys).size, llmId).toBe(keys.length);
    }
  });

  test('concerns models that the book has', () => {
    for (const { provider, models, reason } of [
      ...corrections.classes,
      ...corrections.service_tiers,
    ]) {
      const listed = book.providers.find(({ id }) => id === provider)?.models ?? [];
      const named = listed.filter(({ id }) => isOneOf(models, id));
      expect(named.length, reason).toBeGreaterThanOrEqual(
        typeof models === 'string' ? 1 : models.length,
      );
    }
  });
});

describe('a correction of prices', () => {
  test('replaces the prices of the package, or says that there is none', () => {
    for (const correction of corrections.prices) {
      const llmId = `${correction.provider}/${correction.model}`;
      const rows = book.prices.get(llmId)?.rows.filter(({ service_tier }) => service_tier === '');
      const expected = toModelPrices(toCorrectedPrices(correction));
      expect(rows?.length ?? 0, llmId).toBe(expected.length);
      expect(expected.length > 0, llmId).toBe(correction.prices !== null);
      for (const [index, row] of expected.entries()) {
        expect(rows?.[index], llmId).toMatchObject({
          effective_date: row.effective_date,
          prompt_token_cost: row.prompt_token_cost,
          completion_token_cost: row.completion_token_cost,
        });
      }
    }
  });

  test('is refused when a time or an hour is misspelled', () => {
    const correction = (part: object): PriceCorrection => ({
      provider: 'acme',
      model: 'm',
      prices: [{ prices: {}, ...part }],
      reason: 'a test',
      source: 'https://acme.example',
      looked_up: '2026-11-27',
    });
    for (const from of ['2026-01-01', '2026-01-01T00:00:00+01:00']) {
      expect(() => toCorrectedPrices(correction({ from }))).toThrow(/Not a time/);
    }
    for (const times of ['Fri-Mon 01:00-02:00', 'Mon-Fri 02:00-02:00', 'Mon 01:00-02:00', '']) {
      const hours = [{ times: [times], prices: {} }];
      expect(() => toCorrectedPrices(correction({ hours }))).toThrow(/Not hours/);
    }
  });

  // Models and times; the price is that of the page that corrections.json names.
  test.each<[string, string, number, [number, number] | null]>([
    ['mistral-large-latest', '2025-12-01T23:59:59Z', 1, [2, 6]],
    ['mistral-large-latest', '2025-12-02T00:00:00Z', 1, [0.5, 1.5]],
    ['mistral-large-2512', '2026-10-05T09:00:00Z', 1, [0.5, 1.5]],
    ['mistral-large-2411', '2026-10-05T09:00:00Z', 1, [2, 6]],
    ['mistral-medium-latest', '2026-10-05T09:00:00Z', 1, [1.5, 7.5]],
    ['claude-sonnet-4-20250514', '2025-10-05T00:00:00Z', 300_000, [6, 22.5]],
    ['claude-sonnet-4-20250514', '2025-10-05T00:00:00Z', 200_000, [3, 15]],
    ['claude-sonnet-4-20250514', '2025-08-01T00:00:00Z', 300_000, [3, 15]],
    ['claude-sonnet-4-5-20250929', '2025-10-05T00:00:00Z', 300_000, [6, 22.5]],
    ['us.anthropic.claude-sonnet-4-20250514-v1:0', '2025-10-05T00:00:00Z', 300_000, [6, 22.5]],
    ['gemini-3.1-pro-preview', '2026-10-05T09:00:00Z', 250_000, [4, 18]],
    ['gemini-2.5-pro', '2026-10-05T09:00:00Z', 250_000, [2.5, 15]],
    ['o3', '2025-06-09T23:59:59Z', 1, [10, 40]],
    ['o3', '2025-06-10T00:00:01Z', 1, [2, 8]],
    ['grok-4', '2026-05-15T18:59:59Z', 1, [3, 15]],
    ['grok-4', '2026-05-15T19:00:00Z', 1, [1.25, 2.5]],
    ['amazon.titan-embed-text-v2:0', '2026-10-05T09:00:00Z', 1, [0.02, 0]],
    ['amazon.titan-embed-text-v1', '2026-10-05T09:00:00Z', 1, [0.1, 0]],
    ['openrouter/google/lyria-3-pro-preview', '2026-10-05T09:00:00Z', 1, null],
  ])('%s at %s with %d prompt tokens costs %j', (name, time, promptTokens, expected) => {
    expect(priceAt(book, name, time, { promptTokens })).toEqual(expected);
  });
});

describe('the hours of DeepSeek', () => {
  // 2026-08-25 is a Tuesday, 2026-08-22 a Saturday, 2026-09-25 and 2026-10-05 are public holidays.
  test.each<[string, string, [number, number]]>([
    ['deepseek-v4-flash', '2026-08-25T02:30:00Z', [0.44, 1.32]],
    ['deepseek-v4-pro', '2026-08-25T02:30:00Z', [1.32, 3.96]],
    ['deepseek-chat', '2026-08-25T02:30:00Z', [0.44, 1.32]],
    ['deepseek-reasoner', '2026-08-25T02:30:00Z', [1.32, 3.96]],
    ['deepseek-v4-flash', '2026-08-25T00:59:59Z', [0.22, 0.66]],
    ['deepseek-v4-flash', '2026-08-25T01:00:00Z', [0.44, 1.32]],
    ['deepseek-v4-flash', '2026-08-25T03:59:59Z', [0.44, 1.32]],
    ['deepseek-v4-flash', '2026-08-25T04:00:00Z', [0.22, 0.66]],
    ['deepseek-v4-flash', '2026-08-25T06:00:00Z', [0.44, 1.32]],
    ['deepseek-v4-flash', '2026-08-25T10:00:00Z', [0.22, 0.66]],
    ['deepseek-v4-flash', '2026-08-22T02:30:00Z', [0.44, 1.32]],
    ['deepseek-v4-flash', '2026-08-29T02:30:00Z', [0.22, 0.66]],
    ['deepseek-v4-flash', '2026-09-11T02:30:00Z', [0.3, 1.2]],
    ['deepseek-flash', '2026-09-25T02:30:00Z', [0.15, 0.6]],
    ['deepseek-flash', '2026-09-28T02:30:00Z', [0.3, 1.2]],
    ['deepseek-v4-pro', '2026-10-05T09:00:00Z', [0.66, 1.98]],
    ['deepseek-v4-pro', '2026-10-08T09:00:00Z', [1.32, 3.96]],
    ['deepseek-v4-flash', '2026-08-16T02:30:00Z', [0.14, 0.28]],
    ['deepseek-chat', '2025-03-01T12:00:00Z', [0.27, 1.1]],
    ['deepseek-chat', '2025-03-01T20:00:00Z', [0.135, 0.55]],
    ['deepseek-chat', '2025-09-05T20:00:00Z', [0.56, 1.68]],
    ['deepseek-chat', '2025-12-01T20:00:00Z', [0.28, 0.42]],
  ])('%s at %s costs %j', (name, time, expected) => {
    expect(priceAt(book, name, time)).toEqual(expected);
  });
});

describe('classes of tokens', () => {
  test('of audio have prices of their own for every model that listens or speaks', () => {
    const models = ['gpt-4o-audio-preview', 'gpt-4o-mini-audio-preview', 'gpt-audio'];
    const rows = models.map((name) => rowAt(book, name, '2026-10-05T09:00:00Z'));
    expect(
      rows.map((row) => [row?.audio_input_token_cost, row?.audio_output_token_cost].map(Number)),
    ).toEqual([
      [40e-6, 80e-6],
      [10e-6, 20e-6],
      [32e-6, 64e-6],
    ]);
  });

  test('have a price for an hour of cache of twice the prompt price, for each Claude of each provider', () => {
    let compared = 0;
    for (const [llmId, { provider_id, rows }] of book.prices) {
      if (!llmId.includes('claude') || !['anthropic', 'aws', 'google'].includes(provider_id)) {
        continue;
      }
      for (const row of rows) {
        if (row.cache_creation_input_token_cost === null) continue;
        compared += 1;
        expect(Number(row.cache_creation_1h_input_token_cost), llmId).toBeCloseTo(
          2 * Number(row.prompt_token_cost),
          15,
        );
      }
    }
    expect(compared).toBeGreaterThan(100);
  });
});

describe('service tiers', () => {
  test.each<[string, string, [number, number, number | null]]>([
    ['claude-opus-4-6', 'batch', [2.5, 12.5, 0.25]],
    ['gpt-5', 'batch', [0.625, 5, 0.0625]],
    ['gpt-5', 'flex', [0.625, 5, 0.0625]],
    ['gpt-5', 'priority', [2.5, 20, 0.25]],
    ['gpt-4.1', 'batch', [1, 4, null]],
    ['gpt-4o', 'priority', [4.25, 17, 2.125]],
    ['gpt-4o-mini', 'priority', [0.25, 1, 0.125]],
    ['o4-mini', 'priority', [2, 8, 0.5]],
    ['gemini-2.5-flash', 'batch', [0.15, 1.25, 0.03]],
    ['gemini-2.5-pro', 'priority', [2.25, 18, 0.225]],
    ['groq/llama-3.3-70b-versatile', 'batch', [0.295, 0.395, null]],
    ['mistral-large-latest', 'batch', [0.25, 0.75, 0.025]],
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'batch', [1.65, 8.25, 0.165]],
    ['amazon.nova-pro-v1:0', 'priority', [1.4, 5.6, 0.35]],
  ])('%s in tier %s costs %j for input, output and cached input', (name, tier, expected) => {
    const row = rowAt(book, name, '2026-10-05T09:00:00Z', { tier });
    const cached = row?.cache_read_input_token_cost ?? null;
    expect([
      ...(priceAt(book, name, '2026-10-05T09:00:00Z', { tier }) ?? []),
      cached === null ? null : toPerMillion(cached),
    ]).toEqual(expected);
  });

  test('have a row beside every standard row of a model that has them, so no date or prompt size lacks one', () => {
    let models = 0;
    for (const [llmId, { rows }] of book.prices) {
      for (const tier of ['batch', 'flex', 'priority']) {
        const own = rows.filter(({ service_tier }) => service_tier === tier);
        if (own.length === 0) continue;
        models += 1;
        const standard = rows.filter(({ service_tier }) => service_tier === '');
        const keys = (each: typeof own): string[] =>
          each.map((row) => `${row.effective_date} ${row.prompt_tokens_above}`).sort();
        expect(keys(own), `${llmId} ${tier}`).toEqual(keys(standard));
      }
    }
    expect(models).toBeGreaterThan(300);
  });

  test('that exclude long contexts leave these at the standard price', () => {
    const at = (promptTokens: number): [number, number] | null =>
      priceAt(book, 'gpt-5.5', '2026-10-05T09:00:00Z', { tier: 'priority', promptTokens });
    expect([at(1000), at(300_000)]).toEqual([
      [12.5, 75],
      [10, 45],
    ]);
  });
});

test.each([
  ['0.000005', '0.5', '0.0000025'],
  ['0.0000003', '1.75', '0.000000525'],
  ['3', '2', '6'],
  ['0', '0.5', '0'],
  ['0.000000000000000000000000000001', '0.5', '0'],
])('%s times %s is exactly %s, to 30 places', (left, right, product) => {
  expect(toProduct(left, right)).toBe(product);
});
