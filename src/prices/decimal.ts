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

/**
 * Writes a price per million tokens, as a price book has it, as the price per token. The point of the shortest
 * decimal is moved by six places in the text, so no float is divided; what is behind 30 decimals is cut off.
 */
export function toDecimalPerToken(perMillion: number): string {
  const [whole = '', fraction = ''] = toDecimal(perMillion).split('.');
  const padded = whole.padStart(7, '0');
  const moved = `${padded.slice(-6)}${fraction}`.slice(0, decimals).replace(/0+$/, '');
  return moved === '' ? padded.slice(0, -6) : `${padded.slice(0, -6)}.${moved}`;
}
