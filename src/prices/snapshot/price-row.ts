import { parseMoney, type Money } from '../../money.ts';

/** A price of `llm_token_prices`, with the conditions under which it applies. */
export interface PriceRow {
  readonly id: string;
  readonly level: 'default' | 'project';
  readonly providerId: string;
  readonly llmId: string;
  /** Microseconds since 1970, inclusive. */
  readonly effectiveUs: bigint;
  /** ISO 8601 with microseconds and `Z`. */
  readonly effectiveDate: string;
  readonly createdUs: bigint;
  /** The row applies to prompts of more tokens than this; 0: to all. */
  readonly promptTokensAbove: bigint;
  /** Empty: to all requests. */
  readonly serviceTier: string;
  /** Minutes since Monday 00:00 UTC in which the row applies; empty: always. */
  readonly minutesOfWeek: readonly MinuteRange[];
  readonly costs: TokenCosts;
}

/** From `start`, inclusive, to `end`, exclusive. */
export interface MinuteRange {
  readonly start: number;
  readonly end: number;
}

/** The price columns in USD × 10^30 per token; null where another class's price applies. */
export interface TokenCosts {
  readonly prompt_token_cost: Money;
  readonly completion_token_cost: Money;
  readonly cache_read_input_token_cost: Money | null;
  readonly cache_creation_input_token_cost: Money | null;
  readonly cache_creation_1h_input_token_cost: Money | null;
  readonly audio_input_token_cost: Money | null;
  readonly audio_output_token_cost: Money | null;
}

/** A row of price_rows.sql; wide integers and decimals are text. */
export interface StoredPriceRow extends Readonly<Record<keyof TokenCosts, string | null>> {
  readonly id: string;
  readonly pricing_level: 'default' | 'project';
  readonly provider_id: string;
  readonly llm_id: string;
  readonly effective_us: string;
  readonly effective_date: string;
  readonly created_us: string;
  readonly prompt_tokens_above: string;
  readonly service_tier: string;
  readonly minutes_of_week: readonly MinuteRange[];
  readonly prompt_token_cost: string;
  readonly completion_token_cost: string;
  readonly is_ignored: 0 | 1;
  readonly row_hashes: string;
}

export function toPriceRow(row: StoredPriceRow): PriceRow {
  return {
    id: row.id,
    level: row.pricing_level,
    providerId: row.provider_id,
    llmId: row.llm_id,
    effectiveUs: BigInt(row.effective_us),
    effectiveDate: row.effective_date,
    createdUs: BigInt(row.created_us),
    promptTokensAbove: BigInt(row.prompt_tokens_above),
    serviceTier: row.service_tier,
    minutesOfWeek: row.minutes_of_week,
    costs: {
      prompt_token_cost: parseMoney(row.prompt_token_cost),
      completion_token_cost: parseMoney(row.completion_token_cost),
      cache_read_input_token_cost: toMoney(row.cache_read_input_token_cost),
      cache_creation_input_token_cost: toMoney(row.cache_creation_input_token_cost),
      cache_creation_1h_input_token_cost: toMoney(row.cache_creation_1h_input_token_cost),
      audio_input_token_cost: toMoney(row.audio_input_token_cost),
      audio_output_token_cost: toMoney(row.audio_output_token_cost),
    },
  };
}

function toMoney(text: string | null): Money | null {
  return text === null ? null : parseMoney(text);
}
