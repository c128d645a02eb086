import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseRow, type PriceClass } from '../../../src/prices/snapshot/choose-row.ts';
import type { StoredServiceTier } from '../../../src/prices/service-tier.ts';
import type { PriceRow } from '../../../src/prices/snapshot/price-row.ts';

const costs = {
  prompt_token_cost: 0n,
  completion_token_cost: 0n,
  cache_read_input_token_cost: null,
  cache_creation_input_token_cost: null,
  cache_creation_1h_input_token_cost: null,
  audio_input_token_cost: null,
  audio_output_token_cost: null,
};

const anyRow = fc.record({
  level: fc.constantFrom<PriceRow['level']>('default', 'project'),
  effectiveUs: fc.constantFrom(10n, 20n, 30n),
  createdUs: fc.constantFrom(1n, 2n),
  promptTokensAbove: fc.constantFrom(0n, 0n, 100n, 200n),
  serviceTier: fc.constantFrom('', '', 'batch', 'flex'),
  minutesOfWeek: fc.constantFrom(
    [],
    [],
    [{ start: 60, end: 120 }],
    [
      { start: 0, end: 60 },
      { start: 90, end: 10_080 },
    ],
  ),
});

/** Rows with unique ids. */
const anyRows = fc.array(anyRow, { maxLength: 8 }).map((rows) =>
  rows.map((row, index): PriceRow => ({
    ...{ ...row, id: `row ${index}`, providerId: 'p', llmId: 'm', effectiveDate: '', costs },
  })),
);

const anyClass = fc.record({
  periodUs: fc.constantFrom(0n, 10n, 20n, 30n),
  promptSize: fc.constantFrom(0n, 100n, 200n),
  serviceTier: fc.constantFrom<StoredServiceTier>('', 'batch', 'priority'),
  minuteOfWeek: fc.constantFrom(0, 60, 90, 120),
});

/**
 * What the documents say, one sentence at a time: rows that do not hold for the call are dropped, and then of the others
 * all but the best by each criterion in turn.
 */
function chooseSlowly(all: readonly PriceRow[], at: PriceClass): PriceRow | undefined {
  const isInForce = (row: PriceRow): boolean => row.effectiveUs <= at.periodUs;
  const projectReplaces = all.some((row) => row.level === 'project' && isInForce(row));
  let rows = all.filter((row) => row.level === 'project' || !projectReplaces);
  rows = rows.filter(
    (row) => row.promptTokensAbove === 0n || at.promptSize >= row.promptTokensAbove,
  );
  rows = rows.filter((row) => ['', at.serviceTier].includes(row.serviceTier));
  rows = rows.filter(
    ({ minutesOfWeek: hours }) =>
      hours.length === 0 ||
      hours.some(({ start, end }) => at.minuteOfWeek >= start && at.minuteOfWeek < end),
  );
  const prefer = (isPreferred: (row: PriceRow) => boolean): void => {
    if (rows.some(isPreferred)) rows = rows.filter(isPreferred);
  };
  const preferMost = (toRank: (row: PriceRow) => bigint): void => {
    const ranks = rows.map(toRank);
    prefer((row) => ranks.every((rank) => rank <= toRank(row)));
  };
  prefer(isInForce);
  prefer((row) => row.level === 'project');
  preferMost((row) => (isInForce(row) ? row.effectiveUs : -row.effectiveUs));
  prefer((row) => row.serviceTier !== '');
  prefer((row) => row.minutesOfWeek.length > 0);
  preferMost((row) => row.promptTokensAbove);
  preferMost((row) => row.createdUs);
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1)).at(-1);
}

test('chooses what the documented order of preference chooses', () => {
  let chosen = 0;
  fc.assert(
    fc.property(anyRows, anyClass, (rows, at) => {
      const expected = chooseSlowly(rows, at);
      const ofLevel = (level: PriceRow['level']) => rows.filter((row) => row.level === level);
      const actual = chooseRow({ project: ofLevel('project'), default: ofLevel('default') }, at);
      expect(actual?.id).toBe(expected?.id);
      if (expected !== undefined) chosen += 1;
    }),
    { numRuns: 20_000 },
  );
  expect(chosen).toBeGreaterThan(5_000);
});
