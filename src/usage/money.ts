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
