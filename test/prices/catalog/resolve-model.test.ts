import { beforeAll, describe, expect, test } from 'vitest';
import {
  findFirstParty,
  readPriceBook,
  type PriceBook,
} from '../../../src/prices/catalog/price-book.ts';
import { resolveModel } from '../../../src/prices/catalog/resolve-model.ts';
import { priceAt } from './price-at.ts';

let book: PriceBook;
beforeAll(async () => {
  book = await readPriceBook();
});

const time = '2026-10-05T12:00:00Z';

/** Prices for input and output, so that names with the same price need not have the same row. */
const priceOf = (name: string): [number, number] | null => priceAt(book, name, time);

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
    ['azure/global-standard/gpt-4o-2024-11-20', 'openai/gpt-4o', 'pattern'],
    ['vertex_ai/gemini-2.5-pro', 'google/gemini-2.5-pro', 'provider'],
    ['vertex_ai/claude-3-5-sonnet@20240620', 'google/claude-3-5-sonnet', 'pattern'],
    ['gemini/gemini-2.0-flash', 'google/gemini-2.0-flash', 'provider'],
    ['models/gemini-2.0-flash', 'gemini-2.0-flash', 'provider'],
    ['xai/grok-3', 'x-ai/grok-3', 'provider'],
    ['openrouter/anthropic/claude-sonnet-4', 'openrouter/anthropic/claude-sonnet-4', 'exact'],
    ['litellm_proxy/openai/gpt-4o', 'openai/gpt-4o', 'provider'],
    ['openai/gpt-4o:nitro', 'openai/gpt-4o', 'suffix'],
    ['claude-2.1', 'anthropic/claude-2', 'decision'],
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
    ['eu.amazon.nova-pro-v1:0', 'eu.amazon.nova-pro-v1:0', 'exact'],
  ])('%s resolves to %s by the rule %s', (name, llm_id, rule) => {
    expect(resolveModel(book, name)).toEqual({ llm_id, rule });
  });

  test.each([
    'shop-triage-7b',
    'my-company/gpt-4o',
    'my-company/claude-sonnet-4-5',
    'my-openai-proxy/gpt-4o',
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

  test('that its first-party provider lists has the price of that provider, not of a reseller that lists it too', () => {
    let compared = 0;
    for (const provider of book.providers.filter(({ model_match }) => model_match)) {
      for (const { id, match, rows } of provider.models) {
        const clauses = 'or' in match ? match.or : [match];
        const names = clauses.flatMap((each) => ('equals' in each ? [each.equals] : []));
        for (const name of [id, ...names]) {
          if (findFirstParty(book.providers, name) !== provider || rows.length === 0) continue;
          if (book.decisions.has(name.toLowerCase()) || name.includes('/')) continue;
          compared += 1;
          const resolved = resolveModel(book, name)?.llm_id ?? '';
          expect(book.prices.get(resolved)?.rows, name).toEqual(rows);
          expect(book.prices.get(resolved)?.provider_id, name).toBe(provider.id);
        }
      }
    }
    expect(compared).toBeGreaterThan(400);
    expect(priceAt(book, 'o3-2025-04-16', '2025-06-01T00:00:00Z')).toEqual([10, 40]);
  });

  test('is resolved fast even when it is long and made to slow regular expressions down', () => {
    const names = ['gpt-', 'azure/', 'litellm/', '-20250101', 'claude', 'mistral', 'o1', ':nitro'];
    const long = names.flatMap((part) =>
      [1e6, 200].map((length) => part.repeat(length / part.length + 1).slice(0, length)),
    );
    const before = process.cpuUsage();
    for (const name of long) expect(resolveModel(book, name)).toSatisfy((model) => model !== '');
    const { user } = process.cpuUsage(before);
    // Measured: 0.3 ms for a name. A regular expression that backtracks would take more than 1 s for all of them.
    expect(user / 1000).toBeLessThan(1000);
  });
});

describe('another model than one of the book', () => {
  // A further word, size or version behind the name of a model is another model.
  const words =
    `-8b -lite -mini -nano -pro -max -turbo -fast -distill-llama-70b -distill-qwen-32b -5 -6 .1 .5 -tts -image
    -audio-only -cyber -customized -r2 :extended`.split(/\s+/);

  test('has no price, whichever word follows the name of whichever model of a first-party provider', () => {
    const listed = new Set([...book.prices.keys()].map((name) => name.toLowerCase()));
    let tried = 0;
    for (const provider of book.providers.filter(({ model_match }) => model_match)) {
      const { id: providerId, models } = provider;
      // What follows the name of a fine-tuned model is whose it is.
      for (const model of models.filter(({ id, rows }) => rows.length > 0 && !/^ft:/.test(id))) {
        for (const word of words) {
          const name = `${providerId}/${model.id}${word}`.toLowerCase();
          const isListed = models.some((each) =>
            JSON.stringify(each.match).includes(`"${model.id}${word}"`),
          );
          if (listed.has(name) || listed.has(name.slice(providerId.length + 1)) || isListed)
            continue;
          if (book.decisions.has(name)) continue;
          tried += 1;
          expect(resolveModel(book, name), name).toBeNull();
        }
      }
    }
    expect(tried).toBeGreaterThan(5000);
  });

  test.each([
    ['deepseek-r1-distill-llama-70b', 'deepseek/deepseek-r1'],
    ['amazon.titan-embed-text-v3:0', 'amazon.titan-embed-text-v1'],
    ['gemini-2.5-flash-lite-preview-tts', 'gemini-2.5-flash-lite'],
    ['azure/o4-mini-deep-research', 'azure/o4-mini'],
    ['gemini-1.5-flash-8b', 'gemini-1.5-flash'],
    ['groq/openai/gpt-oss-safeguard-20b', 'groq/openai/gpt-oss-120b'],
  ])('%s does not have the price of %s', (name, other) => {
    expect(priceOf(other)).not.toBeNull();
    expect(priceOf(name)).not.toEqual(priceOf(other));
  });

  test('of a free variant that nobody lists is not the paid model', () => {
    const paid = [...book.prices.keys()].filter((name) => !name.includes(':'));
    let tried = 0;
    for (const name of paid) {
      const price = priceOf(`${name}:free`);
      tried += 1;
      if (price !== null) expect(price, name).toEqual([0, 0]);
    }
    expect(tried).toBeGreaterThan(2000);
  });
});

describe('spellings of a name', () => {
  test('with a routing suffix of OpenRouter have the price of the model, each suffix of each model', () => {
    const models = book.providers
      .find(({ id }) => id === 'openrouter')!
      .models.filter(({ id }) => !id.includes(':') && book.prices.has(`openrouter/${id}`));
    expect(models.length).toBeGreaterThan(400);
    for (const { id } of models) {
      for (const suffix of [':nitro', ':floor', ':exacto', ':online', ':thinking', ':beta']) {
        const name = `openrouter/${id}`;
        if (book.prices.has(`${name}${suffix}`)) continue;
        expect(priceOf(`${name}${suffix}`), `${name}${suffix}`).toEqual(priceOf(name));
      }
    }
  });

  test('with the date of a snapshot have the price of the model that they are a snapshot of', () => {
    const names = ['gpt-5', 'gpt-5-codex', 'o3', 'claude-opus-4-5', 'claude-sonnet-5', 'gpt-6-sol'];
    for (const name of names) {
      expect(priceOf(name), name).not.toBeNull();
      for (const date of ['-2026-02-03', '-20260203', '@20260203']) {
        expect(priceOf(`${name}${date}`), name + date).toEqual(priceOf(name));
      }
    }
    // A date without a year may be another model: gpt-3.5-turbo-1106 is not gpt-3.5-turbo.
    expect(priceOf('gpt-4o-0203')).toBeNull();
  });

  test.each<[string, [number, number] | null]>([
    ['gpt-35-turbo', [0.5, 1.5]],
    ['gpt-35-turbo-1106', [1, 2]],
    ['gpt-35-turbo-0125', [0.5, 1.5]],
    ['gpt-35-turbo-0613', [1.5, 2]],
    ['gpt-35-turbo-16k', [3, 4]],
    ['gpt-35-turbo-instruct-0914', [1.5, 2]],
    ['azure/gpt-35-turbo-0125', [0.5, 1.5]],
    ['azure/gpt-4-1106-preview', [10, 30]],
    ['azure/gpt-4-0125-preview', [10, 30]],
    ['azure/eu/gpt-4o', null],
    ['azure_ai/deepseek-r1', null],
    ['azure/my-deployment', null],
  ])('of Azure: %s costs %j', (name, expected) => {
    expect(priceOf(name)).toEqual(expected);
  });

  test.each<[string, [number, number] | null]>([
    ['us.anthropic.claude-3-5-haiku-20241022-v1:0', [0.8, 4]],
    ['global.anthropic.claude-sonnet-4-5-20250929-v1:0', [3, 15]],
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', [3.3, 16.5]],
    ['bedrock/au.anthropic.claude-sonnet-4-5-20250929-v1:0', [3.3, 16.5]],
    ['bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0', [3.3, 16.5]],
    [
      'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0',
      [3, 15],
    ],
    [
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      [3.3, 16.5],
    ],
    [
      'bedrock/arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-4-6-v1',
      [5.5, 27.5],
    ],
    ['arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4', null],
    ['arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1b2c3d4', null],
    ['amazon.nova-pro-v1:0', [0.8, 3.2]],
    ['us.amazon.nova-pro-v1:0', [0.8, 3.2]],
    ['eu.amazon.nova-pro-v1:0', [1.05, 4.2]],
    ['bedrock/us-west-2/amazon.nova-lite-v1:0', [0.06, 0.24]],
    ['bedrock/ap-south-1/meta.llama3-70b-instruct-v1:0', null],
    ['us-gov.anthropic.claude-3-7-sonnet-20250219-v1:0', null],
    ['eu.meta.llama3-2-3b-instruct-v1:0', null],
  ])('of Bedrock: %s costs %j', (name, expected) => {
    expect(priceOf(name)).toEqual(expected);
  });

  test.each<[string, [number, number] | null]>([
    ['claude-sonnet-4-5@20250929', [3, 15]],
    ['claude-3-5-sonnet-v2@20241022', [3, 15]],
    ['vertex_ai/claude-opus-4-6@default', [5, 25]],
    ['claude-opus-4@20250514', [15, 75]],
    ['vertex_ai/claude-haiku-4-5@20251001', [1, 5]],
    ['publishers/google/models/gemini-2.5-pro', null],
    ['projects/acme/locations/us-central1/publishers/google/models/gemini-2.5-flash', [0.3, 2.5]],
    [
      'projects/acme/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929',
      [3, 15],
    ],
    [
      'projects/acme/locations/us-east5/publishers/anthropic/models/claude-sonnet-4@20250514',
      [3, 15],
    ],
    [
      'projects/acme/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929',
      null,
    ],
    ['vertex_ai/gemini-2.0-flash-001', [0.15, 0.6]],
    ['gemini/gemini-2.0-flash-001', [0.1, 0.4]],
  ])('of Vertex AI: %s costs %j', (name, expected) => {
    expect(priceOf(name)).toEqual(expected);
  });

  test.each<[string, [number, number] | null]>([
    ['ft:gpt-4o-mini:acme::abc123', [0.3, 1.2]],
    ['ft:gpt-4o-mini-2024-07-18:acme:suffix:abc123', [0.3, 1.2]],
    ['openai/ft:gpt-4o-2024-08-06:acme::abc123', [3.75, 15]],
    ['ft:gpt-3.5-turbo-0125:acme::abc123:ckpt-step-88', [3, 6]],
    ['ft:gpt-4.1-nano-2025-04-14:acme::abc123', [0.2, 0.8]],
    ['ft:gpt-4-0613:acme::abc123', null],
    ['ft:gpt-5:acme::abc123', null],
  ])('of a fine-tuned model: %s costs %j', (name, expected) => {
    expect(priceOf(name)).toEqual(expected);
  });

  test.each<[string, [number, number] | null]>([
    ['deepseek/deepseek-r1:free', [0, 0]],
    ['moonshotai/kimi-k2.6:free', [0, 0]],
    ['openrouter/meta-llama/llama-3.3-70b-instruct:free', [0, 0]],
    ['meta-llama/llama-3.3-70b-instruct:free', [0, 0]],
    ['openai/gpt-oss-120b:free', [0, 0]],
    ['gpt-4o-audio-preview-2024-10-01', null],
    ['omni-moderation-latest', null],
    ['openai/omni-moderation-latest', [0, 0]],
    ['my-moderation-model', null],
    ['gemini/gemma-3-27b-it', [0, 0]],
    ['cerebras/qwen-3-coder-480b', null],
  ])('of a model that may be free: %s costs %j', (name, expected) => {
    expect(priceOf(name)).toEqual(expected);
  });
});
