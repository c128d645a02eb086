import { calcPrice, findProvider, type ModelInfo } from '@pydantic/genai-prices';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  listIncompleteModels,
  readPriceBook,
  readPriceBookVersion,
  type PriceBook,
} from '../../../src/prices/catalog/price-book.ts';
import {
  alwaysInForce,
  toMissingUnits,
  toModelPrices,
} from '../../../src/prices/catalog/model-prices.ts';
import { resolveModel } from '../../../src/prices/catalog/resolve-model.ts';

let book: PriceBook;
beforeAll(async () => {
  book = await readPriceBook();
});

/** A provider that a new version of the package adds or removes has to be reviewed, then added or removed here. */
const providerIds = `anthropic arcee avian aws azure baseten cerebras cloudflare cohere cursor deepseek doubleword
  fireworks github-copilot google groq huggingface_cerebras huggingface_fireworks-ai huggingface_groq
  huggingface_hyperbolic huggingface_nebius huggingface_novita huggingface_nscale huggingface_ovhcloud
  huggingface_publicai huggingface_sambanova huggingface_together minimax mistral modal moonshotai novita openai
  openrouter ovhcloud perplexity quicksilverpro together typesafe voyageai x-ai zai zhipuai`;

function model(prices: ModelInfo['prices']): ModelInfo {
  return { id: 'm', match: { equals: 'm' }, prices };
}

const oneRow = {
  effective_date: alwaysInForce,
  prompt_tokens_above: 0,
  prompt_token_cost: '0',
  completion_token_cost: '0',
  cache_read_input_token_cost: null,
  cache_creation_input_token_cost: null,
};

describe('the package', () => {
  test('has exactly the providers that were reviewed', () => {
    expect(book.providers.map(({ id }) => id).sort()).toEqual(providerIds.split(/\s+/).sort());
    for (const { id } of book.providers) expect(findProvider({ providerId: id })?.id).toBe(id);
  });

  test('is read without a network request', async () => {
    const fetch = vi.spyOn(globalThis, 'fetch');
    await readPriceBook();
    expect(fetch).not.toHaveBeenCalled();
    fetch.mockRestore();
  });

  test('gives the rows its name and version as their author', () => {
    expect(readPriceBookVersion()).toMatch(/^genai-prices \d+\.\d+\.\d+\/\d+$/);
    expect(book.version).toBe(readPriceBookVersion());
  });
});

describe('the price book', () => {
  test('has every model that has a price for tokens, of every provider, with every date and tier', () => {
    let rows = 0;
    for (const provider of book.providers) {
      for (const { id, prices } of provider.models) {
        const entries = Array.isArray(prices) ? prices : [{ prices }];
        let expected = 0;
        for (const entry of entries) {
          if ('constraint' in entry && entry.constraint.type === 'time_of_date') continue;
          const { input_mtok, output_mtok, cache_read_mtok, cache_write_mtok } = entry.prices;
          if (input_mtok === undefined && output_mtok === undefined) continue;
          const values = [input_mtok, output_mtok, cache_read_mtok, cache_write_mtok];
          const starts = values.flatMap((value) =>
            typeof value === 'object' ? value.tiers.map(({ start }) => start) : [],
          );
          expected += 1 + new Set(starts).size;
        }
        expect(book.prices.get(`${provider.id}/${id}`)?.rows.length ?? 0, id).toBe(expected);
        rows += expected;
      }
    }
    expect(rows).toBeGreaterThan(1000);
  });

  test('has rows whose prices are those that the package computes for their date and prompt size', () => {
    let compared = 0;
    for (const provider of book.providers) {
      for (const { id } of provider.models) {
        for (const row of book.prices.get(`${provider.id}/${id}`)?.rows ?? []) {
          const timestamp = new Date(`${row.effective_date.slice(0, 10)}T23:00:00Z`);
          const usage = { input_tokens: row.prompt_tokens_above + 1, output_tokens: 1000 };
          const price = calcPrice(usage, id, { provider, timestamp });
          // Another model of the provider may have a pattern that matches the id first.
          if (price?.model.id !== id) continue;
          compared += 1;
          const [input, output] = [row.prompt_token_cost, row.completion_token_cost].map(Number);
          expect(price.input_price, id).toBeCloseTo(input! * usage.input_tokens, 10);
          expect(price.output_price, id).toBeCloseTo(output! * 1000, 10);
        }
      }
    }
    expect(compared).toBeGreaterThan(1300);
  });

  test('gives a name that several providers list the price of the first-party provider', () => {
    const resellers = book.providers.filter(({ models }) =>
      models.some(({ id }) => id === 'gpt-4.1'),
    );
    expect(resellers.length).toBeGreaterThan(1);
    expect(book.prices.get('gpt-4.1')).toBe(book.prices.get('openai/gpt-4.1'));
  });

  test('has no price for a name with different prices and no first-party provider', () => {
    const name = 'Qwen/Qwen3-32B';
    const prices = book.providers.flatMap(({ id }) => book.prices.get(`${id}/${name}`) ?? []);
    expect(new Set(prices.map(({ rows }) => rows[0]!.prompt_token_cost)).size).toBeGreaterThan(1);
    expect(book.ambiguous.has(name)).toBe(true);
    expect(book.prices.has(name)).toBe(false);
  });

  test('prefers the model of a provider to a model id of another provider that reads the same', () => {
    const name = 'deepseek/deepseek-chat';
    const openrouter = book.providers.find(({ id }) => id === 'openrouter');
    expect(openrouter?.models.some(({ id }) => id === name)).toBe(true);
    expect(book.prices.get(name)?.provider_id).toBe('deepseek');
  });

  test('lists the models whose prices are incomplete, with the missing units', () => {
    const units = new Map(listIncompleteModels(book).map((each) => [each.llm_id, each.units]));
    expect(units.get('deepseek/deepseek-chat')).toEqual(['time of day']);
    expect(units.get('anthropic/claude-sonnet-4-5')).toContain('cache_write_1h_mtok');
    expect(units.get('github-copilot/gpt-4o')).toEqual(['tokens']);
    expect(units.has('openai/gpt-4o-mini')).toBe(true);
    expect(units.has('openai/text-embedding-3-small')).toBe(false);
  });
});

describe('matching', () => {
  test('throws for no model id at any provider, although the package computes a price as well', () => {
    const modelIds = new Set(book.providers.flatMap(({ models }) => models.map((each) => each.id)));
    let matched = 0;
    for (const provider of book.providers) {
      for (const id of modelIds) {
        if (book.matcher.findModel(provider, id) !== undefined) matched += 1;
      }
    }
    expect(matched).toBeGreaterThan(modelIds.size);
  });
});

describe('the prices of a model', () => {
  test('are shifted by six digits without rounding, where a float would round', () => {
    // 0.1 + 0.2 = 0.30000000000000004; 1.1 / 1e6 would be 0.0000011000000000000001.
    const prices = { input_mtok: 0.1 + 0.2, output_mtok: 1.1, cache_read_mtok: 1e-7 };
    expect(toModelPrices(model(prices))).toEqual([
      {
        ...oneRow,
        prompt_token_cost: '0.00000030000000000000004',
        completion_token_cost: '0.0000011',
        cache_read_input_token_cost: '0.0000000000001',
      },
    ]);
  });

  test('have a row for each tier of any unit; a unit without that tier has the price of its next lower one', () => {
    const tiered = (base: number, ...tiers: [number, number][]) => ({
      base,
      tiers: tiers.map(([start, price]) => ({ start, price })),
    });
    const prices = { input_mtok: tiered(1, [100, 2], [200, 4]), output_mtok: tiered(3, [150, 6]) };
    const rows = toModelPrices(model(prices)).map((row) => [
      row.prompt_tokens_above,
      row.prompt_token_cost,
      row.completion_token_cost,
    ]);
    expect(rows).toEqual([
      [0, '0.000001', '0.000003'],
      [100, '0.000002', '0.000003'],
      [150, '0.000002', '0.000006'],
      [200, '0.000004', '0.000006'],
    ]);
  });

  test('by time of day are omitted, not averaged, and reported as missing', () => {
    const night = { type: 'time_of_date' as const, start_time: '16:00:00Z', end_time: '20:00:00Z' };
    const timed = model([
      { prices: { input_mtok: 4 } },
      { constraint: night, prices: { input_mtok: 2 } },
    ]);
    expect(toModelPrices(timed)).toEqual([{ ...oneRow, prompt_token_cost: '0.000004' }]);
    expect(toMissingUnits(timed)).toEqual(['time of day']);
  });

  test('in units other than tokens have no row, rather than a row of 0', () => {
    expect(toModelPrices(model({ requests_kcount: 5 }))).toEqual([]);
    expect(toModelPrices(model({}))).toEqual([]);
    expect(toMissingUnits(model({ requests_kcount: 5 }))).toEqual(['requests_kcount', 'tokens']);
  });

  test('are refused when they are not sorted by date, since the last one would not be the latest', () => {
    const dated = (start_date: string) => ({
      constraint: { type: 'start_date' as const, start_date },
      prices: { input_mtok: 1 },
    });
    const entries = [{ prices: {} }, dated('2026-02-01'), dated('2026-01-01')];
    expect(() => toModelPrices(model(entries))).toThrow(/not sorted by date/);
  });
});

describe('a model name that a call reports', () => {
  test.each([
    ['gpt-4o', 'gpt-4o', 'exact'],
    ['GPT-4o', 'gpt-4o', 'case'],
    ['CLAUDE-SONNET-4-5', 'claude-sonnet-4-5', 'case'],
    ['@CF/meta/llama-3.1-8b-instruct', '@cf/meta/llama-3.1-8b-instruct', 'case'],
    ['gpt-4o-2024-08-06', 'openai/gpt-4o', 'pattern'],
    ['o3-mini-2025-01-31', 'openai/o3-mini', 'pattern'],
    ['gpt-4.1-nano-2025-04-14', 'openai/gpt-4.1-nano', 'pattern'],
    ['claude-sonnet-4-5-20250929', 'anthropic/claude-sonnet-4-5', 'pattern'],
    ['claude-3-5-sonnet-latest', 'anthropic/claude-3-5-sonnet', 'pattern'],
    ['openai/gpt-4o', 'openai/gpt-4o', 'exact'],
    ['openai/gpt-4o-2024-08-06', 'openai/gpt-4o', 'pattern'],
    ['OpenAI/GPT-4o', 'openai/gpt-4o', 'case'],
    ['azure/o4-mini', 'azure/o4-mini', 'exact'],
    ['azure/gpt-4o', 'openai/gpt-4o', 'pattern'],
    ['azure_ai/o4-mini', 'azure/o4-mini', 'provider'],
    ['vertex_ai/gemini-2.5-pro', 'google/gemini-2.5-pro', 'provider'],
    ['vertex_ai/claude-3-5-sonnet@20240620', 'google/claude-3-5-sonnet', 'pattern'],
    ['gemini/gemini-2.0-flash', 'google/gemini-2.0-flash', 'provider'],
    ['models/gemini-2.0-flash', 'gemini-2.0-flash', 'provider'],
    ['xai/grok-3', 'x-ai/grok-3', 'provider'],
    ['openrouter/anthropic/claude-sonnet-4', 'openrouter/anthropic/claude-sonnet-4', 'exact'],
    ['litellm_proxy/openai/gpt-4o', 'openai/gpt-4o', 'provider'],
    [
      'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'pattern',
    ],
    [
      'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'exact',
    ],
    [
      'bedrock/us.anthropic.claude-3-7-sonnet-20250219-v1:0',
      'aws/regional.anthropic.claude-3-7-sonnet-20250219-v1:0',
      'pattern',
    ],
    ['eu.amazon.nova-pro-v1:0', 'aws/amazon.nova-pro-v1:0', 'pattern'],
  ])('%s resolves to %s by the rule %s', (name, llm_id, rule) => {
    expect(resolveModel(book, name)).toEqual({ llm_id, rule });
  });

  test.each([
    'shop-triage-7b',
    'my-company/gpt-4o',
    'my-company/claude-sonnet-4-5',
    'ft:gpt-4o-mini:my-company',
    'gpt-nope',
    'claude',
    'Qwen/Qwen3-32B',
    'openai/',
    '/',
    '',
    '__proto__',
  ])('%s resolves to no model', (name) => {
    expect(resolveModel(book, name)).toBeNull();
  });

  test('is not matched to a provider by an id that a reseller lists under the name of that provider', () => {
    const name = 'command-r-plus-08-2024';
    expect(book.prices.get(`cohere/${name}`)?.provider_id).toBe('openrouter');
    expect(resolveModel(book, name)).toEqual({ llm_id: 'cohere/command-r-plus', rule: 'pattern' });
  });

  test('is resolved fast even when it is long and made to slow regular expressions down', () => {
    const names = ['gpt-', 'azure/', 'litellm/', '-20250101', 'claude', 'mistral', 'o1'].flatMap(
      (part) => [1e6, 200].map((length) => part.repeat(length / part.length + 1).slice(0, length)),
    );
    const before = process.cpuUsage();
    for (const name of names) expect(resolveModel(book, name)).toSatisfy((model) => model !== '');
    const { user } = process.cpuUsage(before);
    // Measured: 0.3 ms for a name. A regular expression that backtracks would take more than 1 s for all of them.
    expect(user / 1000).toBeLessThan(1000);
  });
});
