import type { ModelPriceRow } from '../../../src/prices/catalog/model-prices.ts';
import type { PriceBook } from '../../../src/prices/catalog/price-book.ts';
import { resolveModel } from '../../../src/prices/catalog/resolve-model.ts';

/** When and how a call was made. */
export interface CallConditions {
  readonly promptTokens?: number;
  readonly tier?: string;
}

/** The row of the book for a call, chosen in a plain way of its own: latest date, service tier, hours, prompt size. */
export function rowAt(
  book: PriceBook,
  name: string,
  time: string,
  { promptTokens = 1000, tier = '' }: CallConditions = {},
): ModelPriceRow | null {
  const model = resolveModel(book, name);
  if (model === null) return null;
  const date = new Date(time);
  const day = (date.getUTCDay() + 6) % 7;
  const minute = (day * 24 + date.getUTCHours()) * 60 + date.getUTCMinutes();
  const at = date.toISOString().replace('T', ' ').replace('Z', '000');
  const rows = (book.prices.get(model.llm_id)?.rows ?? [])
    .filter((row) => row.effective_date <= at && row.prompt_tokens_above < promptTokens)
    .filter((row) => row.service_tier === '' || row.service_tier === tier)
    .filter(
      ({ minutes_of_week: hours }) =>
        hours.length === 0 || hours.some(({ start, end }) => start <= minute && minute < end),
    );
  const rank = (row: ModelPriceRow): string =>
    [
      row.effective_date,
      row.service_tier === '' ? 0 : 1,
      row.minutes_of_week.length === 0 ? 0 : 1,
      String(row.prompt_tokens_above).padStart(12, '0'),
    ].join(' ');
  return rows.sort((left, right) => (rank(left) < rank(right) ? 1 : -1))[0] ?? null;
}

/** The prices of input and output of a call, in USD per million tokens; null if the book has none. */
export function priceAt(
  book: PriceBook,
  name: string,
  time: string,
  conditions?: CallConditions,
): [number, number] | null {
  const row = rowAt(book, name, time, conditions);
  return row === null
    ? null
    : [toPerMillion(row.prompt_token_cost), toPerMillion(row.completion_token_cost)];
}

export function toPerMillion(perToken: string): number {
  return Number((Number(perToken) * 1e6).toPrecision(12));
}
