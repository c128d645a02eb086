/** An exact amount of USD in units of 10^-30, the scale of prices in ClickHouse. */
export type Money = bigint;

const decimals = 30;

/** Parses a decimal as ClickHouse writes it, such as `-12.0345`. */
export function parseMoney(text: string): Money {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

/** The sum of the known amounts; null, which means unknown, only if neither is known. */
export function addMoney(a: Money | null, b: Money | null): Money | null {
  if (a === null || b === null) return a ?? b;
  return a + b;
}

/** The nearest JSON number. */
export function toNumber(money: Money): number {
  return Number(`${money}e-${decimals}`);
}

/**
 * Writes an exact amount as a decimal without exponent and without zeros at the end.
 * @param unitDecimals how many decimal places one unit of the result is worth, such as 6 for a price per million tokens
 */
export function toDecimalText(money: Money, unitDecimals = 0): string {
  const digits = String(money < 0n ? -money : money).padStart(decimals + 1, '0');
  const point = digits.length - decimals + unitDecimals;
  const fraction = digits.slice(point).replace(/0+$/, '');
  const whole = digits.slice(0, point).replace(/^0+(?=\d)/, '');
  return `${money < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
