import { describe, expect, test } from 'vitest';
import { toTotals, type ModelUsage } from '../../demo/answer.ts';
import { toCostText, toCountText, toTotalCostText } from '../../demo/figures.ts';

const priced: ModelUsage = {
  requests: 1,
  prompt_tokens: 1_000,
  completion_tokens: 234,
  total_tokens: 1_234,
  prompt_tokens_total_cost: 0.0025,
  completion_tokens_total_cost: 0.00234,
};
const unpriced: ModelUsage = {
  ...priced,
  prompt_tokens_total_cost: null,
  completion_tokens_total_cost: null,
};

describe('figures', () => {
  test('separate thousands and show none as a dash', () => {
    expect(toCountText(1_234_567)).toBe('1,234,567');
    expect(toCountText(0)).toBe('–');
  });

  test('show a cost to the millionth, and never a cost above nothing as nothing', () => {
    expect(toCostText(1_234.5)).toBe('$1,234.500000');
    expect(toCostText(0.00000002)).toBe('<$0.000001');
    expect(toCostText(0)).toBe('$0.000000');
  });

  test('show an unknown cost as unpriced, never as 0', () => {
    expect(toTotalCostText(toTotals([unpriced]))).toBe('unpriced');
    expect(toTotals([unpriced]).cost).toBeUndefined();
  });

  test('show a cost that lacks a model without a price as a lower bound', () => {
    expect(toTotalCostText(toTotals([priced, unpriced]))).toBe('≥ $0.004840');
    expect(toTotalCostText(toTotals([priced, priced]))).toBe('$0.009680');
  });

  test('show no usage as a dash', () => {
    expect(toTotalCostText(toTotals([]))).toBe('–');
  });
});
