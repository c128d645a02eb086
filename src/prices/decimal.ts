/** Decimals of a price in `llm_token_prices`. */
const decimals = 30;

/**
 * Writes a JSON number from 0 to below 10^21 as a decimal without exponent: the shortest one that reads back
 * as the same number, cut off behind 30 decimals.
 */
export function toDecimal(value: number): string {
  const [digits = '', exponent = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = digits.split('.');
  const shift = Number(exponent);
  if (shift >= 0) return fraction === '' ? whole : `${whole}.${fraction}`;
  return `0.${'0'.repeat(-shift - whole.length)}${whole}${fraction}`.slice(0, 2 + decimals);
}
