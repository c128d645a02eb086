/** Decimal places of a price in `llm_token_prices`. */
const scale = 30;

/**
 * Writes a JSON number as a decimal without exponent: the shortest decimal that reads back as the same number,
 * truncated to 30 decimal places.
 * @param value at least 0 and less than 10^21
 */
export function toDecimal(value: number): string {
  const [digits = '', exponent = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = digits.split('.');
  const shift = Number(exponent);
  if (shift >= 0) return fraction === '' ? whole : `${whole}.${fraction}`;
  return `0.${'0'.repeat(-shift - whole.length)}${whole}${fraction}`.slice(0, 2 + scale);
}

/**
 * Converts a price per million tokens, as in a price book, to the price per token. Moves the decimal point of the
 * shortest decimal by six places in the string, so no float is divided; truncates to 30 decimal places.
 */
export function toDecimalPerToken(perMillion: number): string {
  const [whole = '', fraction = ''] = toDecimal(perMillion).split('.');
  const padded = whole.padStart(7, '0');
  const moved = `${padded.slice(-6)}${fraction}`.slice(0, scale).replace(/0+$/, '');
  return moved === '' ? padded.slice(0, -6) : `${padded.slice(0, -6)}.${moved}`;
}

/** Multiplies two decimals without exponent exactly; truncates to 30 decimal places. */
export function toProduct(left: string, right: string): string {
  const [leftWhole = '', leftFraction = ''] = left.split('.');
  const [rightWhole = '', rightFraction = ''] = right.split('.');
  const product = BigInt(leftWhole + leftFraction) * BigInt(rightWhole + rightFraction);
  const places = leftFraction.length + rightFraction.length;
  const digits = String(product).padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits
    .slice(digits.length - places)
    .slice(0, scale)
    .replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
