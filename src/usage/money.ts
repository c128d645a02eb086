/** An exact amount of USD, in units of 10^-30, the scale of the prices in ClickHouse. */
export type Money = bigint;

const decimals = 30;

/** Reads a decimal as ClickHouse writes it, such as `-12.0345`. */
export function parseMoney(text: string): Money {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

/** The sum of what is known; null, which is "unknown", only where neither is. */
export function addMoney(a: Money | null, b: Money | null): Money | null {
  if (a === null || b === null) return a ?? b;
  return a + b;
}

/** The nearest JSON number. */
export function toNumber(money: Money): number {
  return Number(`${money}e-${decimals}`);
}
