import { describe, expect, test } from 'vitest';
import type { ModelUsage } from '../../demo/client.ts';
import { toCostText, toCountText, toTotalCostText, toTotals } from '../../demo/totals.ts';

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

describe('numbers in the output of the demo', () => {
  test('counts have thousands separators, and 0 is a dash', () => {
    expect(toCountText(1_234_567)).toBe('1,234,567');
    expect(toCountText(0)).toBe('–');
  });

  test('costs have six decimals, and a cost above 0 is never printed as 0', () => {
    expect(toCostText(1_234.5)).toBe('$1,234.500000');
    expect(toCostText(0.00000002)).toBe('<$0.000001');
    expect(toCostText(0)).toBe('$0.000000');
  });

  test('an unknown cost is printed as unpriced, never as 0', () => {
    expect(toTotalCostText(toTotals([unpriced]))).toBe('unpriced');
    expect(toTotals([unpriced]).costUsd).toBeUndefined();
  });

  test('a cost is printed as a lower bound when one of its models has no price', () => {
    expect(toTotalCostText(toTotals([priced, unpriced]))).toBe('≥ $0.004840');
    expect(toTotalCostText(toTotals([priced, priced]))).toBe('$0.009680');
  });

  test('no usage is printed as a dash', () => {
    expect(toTotalCostText(toTotals([]))).toBe('–');
  });
});
