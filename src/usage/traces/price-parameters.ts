import type { ClickHouse, ReadOptions } from '../../clickhouse/clickhouse.ts';
import type { ChosenPrice } from '../../prices/snapshot/chosen-price.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import { choosePrice, type PricedRow } from '../query/usage-row.ts';

/** A row of trace_price_classes.sql. */
type PriceClassRow = Omit<PricedRow, 'counters'>;

export type PriceParameters = Awaited<ReturnType<typeof toPriceParameters>>;

/**
 * Chooses the price of each class of usage that traces of a window have, for statements that multiply by themselves.
 * @param prices null for none
 * @param window the other parameters of trace_price_classes.sql
 * @returns the parameters `class_…` of these statements
 * @throws the same errors as {@link ClickHouse.read}
 */
export async function toPriceParameters(
  clickhouse: ClickHouse,
  prices: PriceSnapshot | null,
  window: Readonly<Record<string, unknown>>,
  options: ReadOptions,
) {
  const rows =
    prices === null
      ? []
      : await clickhouse.read<PriceClassRow>(
          'trace_price_classes',
          { ...window, ...prices.boundaries },
          options,
        );
  return {
    class_models: rows.map(({ model }) => model),
    class_service_tiers: rows.map(({ service_tier }) => service_tier),
    class_periods: rows.map(({ period_us }) => BigInt(period_us)),
    class_prompt_sizes: rows.map(({ prompt_size }) => BigInt(prompt_size)),
    class_minutes: rows.map(({ minute_of_week }) => BigInt(minute_of_week)),
    class_prices: rows.map((row) => toPriceText(choosePrice({ ...row, counters: ['1'] }, prices))),
  };
}

/** The price of a token of each class in units of `Money`, in the order of `UsageCounters`; empty without a price. */
function toPriceText(price: ChosenPrice | null): string {
  if (price === null) return '';
  return tokenClasses
    .map((position) => {
      const { prompt, completion } = price.cost(toOneToken(position));
      return String(prompt + completion);
    })
    .join();
}

/** Where `UsageCounters` has classes of tokens, from 0. */
const tokenClasses = [4, 5, 6, 7, 8, 9, 10];

function toOneToken(position: number): bigint[] {
  return Array.from({ length: 12 }, (_, index) => (index === position ? 1n : 0n));
}
