import {
  calcPrice,
  findProvider,
  waitForUpdate,
  type ModelInfo,
  type ModelPrice,
  type Provider,
} from '@pydantic/genai-prices';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  listIncompleteModels,
  readPriceBook,
  readPriceBookVersion,
  toPriceBook,
  type PriceBook,
} from '../../../src/prices/catalog/price-book.ts';

import type { ModelPriceRow } from '../../../src/prices/catalog/model-prices.ts';

let book: PriceBook;
let packageProviders: readonly Provider[];
let uncorrected: PriceBook;
beforeAll(async () => {
  book = await readPriceBook();
  packageProviders = (await waitForUpdate()) ?? [];
  uncorrected = toPriceBook(packageProviders, 'genai-prices 1');
});

/** A provider that a new version of the package adds or removes has to be reviewed, then added or removed here. */
const providerIds = `anthropic arcee avian aws azure baseten cerebras cloudflare cohere cursor deepseek doubleword
  fireworks github-copilot google groq huggingface_cerebras huggingface_fireworks-ai huggingface_groq
  huggingface_hyperbolic huggingface_nebius huggingface_novita huggingface_nscale huggingface_ovhcloud
  huggingface_publicai huggingface_sambanova huggingface_together minimax mistral modal moonshotai novita openai
  openrouter ovhcloud perplexity quicksilverpro together typesafe voyageai x-ai zai zhipuai`;

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

  test('gives the rows its name and version, and those of the corrections, as their author', () => {
    expect(readPriceBookVersion()).toMatch(/^genai-prices \d+\.\d+\.\d+\/\d+\.[0-9a-f]{8}$/);
    expect(book.version).toBe(readPriceBookVersion());
  });
});

const columns = {
  input_mtok: 'prompt_token_cost',
  output_mtok: 'completion_token_cost',
  cache_read_mtok: 'cache_read_input_token_cost',
  cache_write_mtok: 'cache_creation_input_token_cost',
  cache_write_1h_mtok: 'cache_creation_1h_input_token_cost',
  input_audio_mtok: 'audio_input_token_cost',
  output_audio_mtok: 'audio_output_token_cost',
} as const;

type Entries = readonly { readonly prices: ModelPrice }[];

const toNumber = (cost: number): number => Number(cost.toPrecision(12));

/** @returns the entries that tokens can be priced by: those with a price for tokens, and those without any price */
function toPricedEntries(prices: ModelInfo['prices']): Entries {
  const entries: Entries = Array.isArray(prices) ? prices : [{ prices }];
  return entries.filter(
    ({ prices: each }) =>
      Object.keys(each).length === 0 || 'input_mtok' in each || 'output_mtok' in each,
  );
}

/** Writes each prompt size and the prices above it, in USD per million tokens, without the help of the service. */
function toExpectedRows(entries: Entries): string[] {
  return entries.flatMap(({ prices }) => {
    const starts = Object.keys(columns).flatMap((unit) => {
      const price = prices[unit];
      return typeof price === 'object' ? price.tiers.map(({ start }) => start) : [];
    });
    return [...new Set([0, ...starts])].map((start) => {
      const costs = Object.keys(columns).map((unit) => {
        const price = prices[unit] ?? (unit === 'input_mtok' || unit === 'output_mtok' ? 0 : null);
        if (typeof price !== 'object' || price === null) return price;
        const reached = price.tiers.filter((tier) => tier.start <= start);
        return reached.sort((left, right) => right.start - left.start)[0]?.price ?? price.base;
      });
      return JSON.stringify([start, costs.map((cost) => (cost === null ? null : toNumber(cost)))]);
    });
  });
}

function toFoundRows(rows: readonly ModelPriceRow[]): string[] {
  return rows.map((row) => {
    const costs = Object.values(columns).map((column) => {
      const cost = row[column];
      return cost === null ? null : toNumber(Number(cost) * 1e6);
    });
    return JSON.stringify([row.prompt_tokens_above, costs]);
  });
}

describe('the price book', () => {
  test('has every model with a price for tokens or none at all, with every date, tier, hour and class', () => {
    const seen = { models: 0, free: 0, hours: 0, oneHour: 0, audio: 0 };
    for (const provider of packageProviders) {
      for (const { id, prices } of provider.models) {
        const entries = toPricedEntries(prices);
        const rows = uncorrected.prices.get(`${provider.id}/${id}`)?.rows ?? [];
        expect(toFoundRows(rows).sort(), id).toEqual(toExpectedRows(entries).sort());
        seen.models += rows.length === 0 ? 0 : 1;
        seen.free += entries.some((each) => Object.keys(each.prices).length === 0) ? 1 : 0;
        seen.hours += rows.filter(({ minutes_of_week }) => minutes_of_week.length > 0).length;
        seen.oneHour += (rows[0]?.cache_creation_1h_input_token_cost ?? null) === null ? 0 : 1;
        seen.audio += (rows[0]?.audio_input_token_cost ?? null) === null ? 0 : 1;
      }
    }
    expect(seen.models).toBeGreaterThan(1600);
    expect(seen.free).toBeGreaterThan(150);
    expect(seen.hours).toBeGreaterThan(4);
    expect(seen.oneHour).toBeGreaterThan(20);
    expect(seen.audio).toBeGreaterThan(15);
  });

  test('has rows whose prices are those that the package computes for their date, hour and prompt size', () => {
    let compared = 0;
    for (const provider of packageProviders) {
      for (const { id } of provider.models) {
        for (const row of uncorrected.prices.get(`${provider.id}/${id}`)?.rows ?? []) {
          const day = row.effective_date.slice(0, 10);
          // The package applies prices by the hour on every day, before the date of the entry they follow as well.
          const minute = row.minutes_of_week[0]?.start ?? 23 * 60;
          const timestamp = new Date(Date.parse(`${day}T00:00:00Z`) + (minute + 1) * 60_000);
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
    expect(compared).toBeGreaterThan(1500);
  });

  test('has a row of 0 for every free variant, which never has the price of the paid model', () => {
    const free = packageProviders.flatMap(({ id, models }) =>
      models.filter((each) => each.id.endsWith(':free')).map((each) => `${id}/${each.id}`),
    );
    expect(free.length).toBeGreaterThan(140);
    for (const llmId of free) {
      for (const name of [llmId, llmId.slice(llmId.indexOf('/') + 1)]) {
        const costs = book.prices
          .get(name)
          ?.rows.flatMap((row) => [row.prompt_token_cost, row.completion_token_cost]);
        expect(new Set(costs), name).toEqual(new Set(['0']));
      }
    }
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
    expect(units.get('anthropic/claude-sonnet-4-5')).toEqual(['web_searches_kcount']);
    expect(units.get('openai/whisper-1')).toContain('tokens');
    expect(units.get('google/gemini-2.5-flash')).toEqual(['cache_audio_read_mtok']);
    expect(units.has('deepseek/deepseek-chat')).toBe(false);
    expect(units.has('github-copilot/gpt-4o')).toBe(false);
    expect(units.has('openai/text-embedding-3-small')).toBe(false);
  });
});
