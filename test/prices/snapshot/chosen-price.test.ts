import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toChosenPrice } from '../../../src/prices/snapshot/chosen-price.ts';
import type { PriceRow, TokenCosts } from '../../../src/prices/snapshot/price-row.ts';

const row = (costs: Partial<TokenCosts>): PriceRow => ({
  ...{ id: 'a', level: 'default', providerId: 'p', llmId: 'm', effectiveUs: 0n, effectiveDate: '' },
  ...{ createdUs: 0n, promptTokensAbove: 0n, serviceTier: '', minutesOfWeek: [] },
  costs: {
    prompt_token_cost: 10n,
    completion_token_cost: 1_000n,
    cache_read_input_token_cost: null,
    cache_creation_input_token_cost: null,
    cache_creation_1h_input_token_cost: null,
    audio_input_token_cost: null,
    audio_output_token_cost: null,
    ...costs,
  },
});

/** One token of the class at the position, from 1. */
const oneToken = (position: number): bigint[] =>
  Array.from({ length: 12 }, (_, index) => (index + 1 === position ? 1n : 0n));

const cacheWrite = { cache_creation_input_token_cost: 12n };

test.each([
  ['uncached prompt', 5, {}, [10n, 0n]],
  ['cache read', 6, {}, [10n, 0n]],
  ['cache read', 6, { cache_read_input_token_cost: 0n }, [0n, 0n]],
  ['cache write', 7, {}, [10n, 0n]],
  ['cache write', 7, cacheWrite, [12n, 0n]],
  ['one-hour cache write', 8, {}, [10n, 0n]],
  ['one-hour cache write', 8, cacheWrite, [12n, 0n]],
  [
    'one-hour cache write',
    8,
    { ...cacheWrite, cache_creation_1h_input_token_cost: 20n },
    [20n, 0n],
  ],
  ['audio input', 9, cacheWrite, [10n, 0n]],
  ['audio input', 9, { audio_input_token_cost: 40n }, [40n, 0n]],
  ['completion', 10, { audio_output_token_cost: 4n }, [0n, 1_000n]],
  ['audio output', 11, {}, [0n, 1_000n]],
  ['audio output', 11, { audio_output_token_cost: 4n }, [0n, 4n]],
])('a token of %s, at position %i, with the prices %o costs %o', (_, position, costs, expected) => {
  const { prompt, completion } = toChosenPrice(row(costs), 'exact').cost(oneToken(position));
  expect([prompt, completion]).toEqual(expected);
});

test('counters that are no class cost nothing', () => {
  for (const position of [1, 2, 3, 4, 12]) {
    const price = toChosenPrice(row({}), 'exact');
    expect(price.cost(oneToken(position))).toEqual({ prompt: 0n, completion: 0n });
    expect(price.lines(oneToken(position))).toEqual([]);
  }
});

test('the lines of a bill add up to the cost, and each is tokens times its price', () => {
  const anyMoney = fc.bigInt(0n, 10n ** 28n);
  const anyCosts = fc.record({
    prompt_token_cost: anyMoney,
    completion_token_cost: anyMoney,
    cache_read_input_token_cost: fc.option(anyMoney),
    cache_creation_input_token_cost: fc.option(anyMoney),
    cache_creation_1h_input_token_cost: fc.option(anyMoney),
    audio_input_token_cost: fc.option(anyMoney),
    audio_output_token_cost: fc.option(anyMoney),
  });
  const anyCounters = fc.array(fc.bigInt(0n, 2n ** 70n), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(anyCosts, anyCounters, (costs, counters) => {
      const price = toChosenPrice(row(costs), 'exact');
      const { prompt, completion } = price.cost(counters);
      const lines = price.lines(counters);
      expect(lines.reduce((sum, { amount }) => sum + amount, 0n)).toBe(prompt + completion);
      for (const { tokens, pricePerMillion, amount } of lines) {
        const [whole = '', fraction = ''] = pricePerMillion.split('.');
        // An integer of 24 decimal places: one millionth of it is an integer of 30.
        expect(tokens * BigInt(whole + fraction.padEnd(24, '0'))).toBe(amount);
      }
    }),
  );
});
