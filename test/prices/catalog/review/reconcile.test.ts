import { expect, test } from 'vitest';
import { priceBookAuthor, toPriceBook } from '../../../../src/prices/catalog/price-book.ts';
import { compareKnown, reconcile } from '../../../../src/prices/catalog/review/reconcile.ts';

const provider = {
  id: 'acme',
  name: 'Acme',
  api_pattern: 'acme',
  models: [
    {
      id: 'm',
      match: { equals: 'm' },
      prices: [
        { prices: { input_mtok: 1, output_mtok: 1 } },
        {
          constraint: { type: 'start_date' as const, start_date: '2026-06-01' },
          prices: {
            input_mtok: { base: 100, tiers: [{ start: 200, price: 200 }] },
            output_mtok: 10,
          },
        },
      ],
    },
  ],
};
const secondSourcePrices = {
  id: 'm',
  provider: 'acme',
  input: 101,
  output: 10.2,
  cacheRead: 3,
  cacheWrite: null,
  longContext: { threshold: 200, input: 300, output: 10, cacheRead: null, cacheWrite: null },
};

const book = toPriceBook([provider], `${priceBookAuthor}1`);

test('a price that differs by more than 1 %, at its date and tier, is a discrepancy; a missing price is not', () => {
  const secondSource = [secondSourcePrices, { ...secondSourcePrices, id: 'n' }];
  expect(reconcile(book, secondSource, '2026-06-01')).toEqual({
    names: { unknown: ['acme/n'], same: [], different: ['acme/m'] },
    prices: 4,
    discrepancies: [
      { model: 'acme/m', price: 'output', book: 10, other: 10.2 },
      { model: 'acme/m', price: 'input above 200', book: 200, other: 300 },
    ],
  });
});

test('a known discrepancy with other numbers is unknown, and the known one is obsolete', () => {
  const discrepancy = { model: 'a/b', price: 'input', book: 1, other: 2 };
  const lines = ['a/b input: 1, not 2'];
  const reviewed = { reason: 'known', source: 'https://a.example', looked_up: '2026-11-27' };
  const compare = (other: number) =>
    compareKnown([{ ...discrepancy, other }], [{ ...reviewed, right: 'book', lines }]);
  expect(compare(2)).toEqual({ unknown: [], obsolete: [] });
  expect(compare(3)).toEqual({ unknown: ['a/b input: 1, not 3'], obsolete: lines });
});
