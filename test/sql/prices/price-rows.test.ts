import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StoredPriceRow } from '../../../src/prices/snapshot/price-row.ts';
import { defaultPrice } from '../../support/default-price.ts';
import { clickhouseFixture } from '../../support/fixtures.ts';

const database = clickhouseFixture();

const readRows = (pricing_level_id: string): Promise<StoredPriceRow[]> =>
  database.clickhouse.read<StoredPriceRow>('price_rows', { pricing_level_id });

const ofProject = (pricing_level_id: string, fields: object): object =>
  defaultPrice({ pricing_level: 'project', pricing_level_id, ...fields });

test('returns every column of a price exactly', async () => {
  const project = 'p/columns';
  const costs = {
    prompt_token_cost: '0.000000000000000000000000000001',
    completion_token_cost: '0.0000032999999999999997',
    cache_read_input_token_cost: '0.1',
    cache_creation_input_token_cost: null,
    cache_creation_1h_input_token_cost: '0.2',
    audio_input_token_cost: '0.3',
    audio_output_token_cost: '0.4',
  };
  const conditions = {
    prompt_tokens_above: '18446744073709551615',
    service_tier: 'batch',
    minutes_of_week: [{ start: 0, end: 10_080 }],
  };
  const named = { id: 'a', llm_id: 'm', provider_id: 'somebody' };
  await database.insert('llm_token_prices', [
    ofProject(project, {
      ...{ ...named, ...costs, ...conditions },
      effective_date: '2026-01-31 22:59:59.123456',
      created_at: '2026-02-01 00:00:00.000001',
    }),
  ]);
  expect(await readRows(project)).toEqual([
    {
      ...{ ...named, ...costs, ...conditions },
      pricing_level: 'project',
      effective_date: '2026-01-31T22:59:59.123456Z',
      effective_us: String(Date.UTC(2026, 0, 31, 22, 59, 59) * 1_000 + 123_456),
      created_us: String(Date.UTC(2026, 1, 1) * 1_000 + 1),
      is_ignored: 0,
      row_hashes: expect.stringMatching(/^\d+$/) as string,
    },
  ]);
});

test('returns the versions of rows that FINAL returns, also where two have the same time', async () => {
  const version = fc.record({
    id: fc.constantFrom('a', 'b'),
    llm_id: fc.constantFrom('m', 'n'),
    prompt_token_cost: fc.integer({ min: 0, max: 3 }).map(String),
    created_at: fc.constantFrom('2026-01-01 00:00:00', '2026-01-02 00:00:00'),
    is_deleted: fc.constantFrom(0, 0, 1),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(version, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
      async (inserts) => {
        const project = `p/final ${(run += 1)}`;
        for (const rows of inserts) {
          await database.insert(
            'llm_token_prices',
            rows.map((row) => ofProject(project, row)),
          );
        }
        const expected = await database.query(
          `SELECT llm_id, id, prompt_token_cost FROM llm_token_prices FINAL
          WHERE pricing_level_id = {project: String} ORDER BY llm_id, id`,
          { project },
        );
        const rows = await readRows(project);
        expect(
          rows
            .filter(({ is_ignored }) => is_ignored === 0)
            .map(({ llm_id, id, prompt_token_cost }) => ({ llm_id, id, prompt_token_cost }))
            .sort((a, b) => (a.llm_id + a.id < b.llm_id + b.id ? -1 : 1)),
        ).toEqual(expected);
      },
    ),
    { numRuns: 30 },
  );
});
