import type { ModelInfo } from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import {
  alwaysInForce,
  toDatedPrices,
  toMissingUnits,
  toModelPrices,
  type ModelPriceRow,
} from '../../../src/prices/catalog/model-prices.ts';

function rowsOf(prices: ModelInfo['prices']): ModelPriceRow[] {
  return toModelPrices(toDatedPrices({ id: 'm', prices }));
}

function missingOf(prices: ModelInfo['prices']): string[] {
  return toMissingUnits(toDatedPrices({ id: 'm', prices }));
}

const oneRow = {
  effective_date: alwaysInForce,
  prompt_tokens_above: 0,
  service_tier: '',
  minutes_of_week: [],
  prompt_token_cost: '0',
  completion_token_cost: '0',
  cache_read_input_token_cost: null,
  cache_creation_input_token_cost: null,
  cache_creation_1h_input_token_cost: null,
  audio_input_token_cost: null,
  audio_output_token_cost: null,
};

describe('the prices of a model', () => {
  test('are shifted by six digits without rounding, where a float would round', () => {
    // 0.1 + 0.2 = 0.30000000000000004; 1.1 / 1e6 would be 0.0000011000000000000001.
    const prices = { input_mtok: 0.1 + 0.2, output_mtok: 1.1, cache_read_mtok: 1e-7 };
    expect(rowsOf(prices)).toEqual([
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
    const prices = {
      input_mtok: tiered(1, [100, 2], [200, 4]),
      output_mtok: tiered(3, [150, 6]),
      cache_write_1h_mtok: tiered(7, [250, 8]),
    };
    const rows = rowsOf(prices).map((row) => [
      row.prompt_tokens_above,
      row.prompt_token_cost,
      row.completion_token_cost,
      row.cache_creation_1h_input_token_cost,
    ]);
    expect(rows).toEqual([
      [0, '0.000001', '0.000003', '0.000007'],
      [100, '0.000002', '0.000003', '0.000007'],
      [150, '0.000002', '0.000006', '0.000007'],
      [200, '0.000004', '0.000006', '0.000007'],
      [250, '0.000004', '0.000006', '0.000008'],
    ]);
  });

  test('by time of day hold on every day, after midnight as well, from the date of the entry before them', () => {
    const night = { type: 'time_of_date' as const, start_time: '16:30:00Z', end_time: '00:30:00Z' };
    const start = { type: 'start_date' as const, start_date: '2026-01-01' };
    const rows = rowsOf([
      { prices: { input_mtok: 4 } },
      { constraint: start, prices: { input_mtok: 6 } },
      { constraint: night, prices: { input_mtok: 2 } },
    ]);
    expect(rows.map((row) => [row.effective_date.slice(0, 10), row.prompt_token_cost])).toEqual([
      ['1900-01-01', '0.000004'],
      ['2026-01-01', '0.000006'],
      ['2026-01-01', '0.000002'],
    ]);
    const periods = [0, 1, 2, 3, 4, 5, 6].flatMap((day) => [
      { start: day * 1440, end: day * 1440 + 30 },
      { start: day * 1440 + 990, end: day * 1440 + 1440 },
    ]);
    expect(rows.map(({ minutes_of_week }) => minutes_of_week)).toEqual([[], [], periods]);
  });

  test('in units other than tokens have no row, and no price at all is free', () => {
    expect(rowsOf({ requests_kcount: 5 })).toEqual([]);
    expect(missingOf({ requests_kcount: 5 })).toEqual(['requests_kcount', 'tokens']);
    expect(rowsOf({})).toEqual([oneRow]);
    expect(missingOf({})).toEqual([]);
  });

  test('are refused when they are not sorted by date, since the last one would not be the latest', () => {
    const dated = (start_date: string) => ({
      constraint: { type: 'start_date' as const, start_date },
      prices: { input_mtok: 1 },
    });
    const entries = [{ prices: {} }, dated('2026-02-01'), dated('2026-01-01')];
    expect(() => rowsOf(entries)).toThrow(/not sorted by date/);
  });
});
