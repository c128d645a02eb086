import { toDateTime64, toUnixMicroseconds } from '../clickhouse/client/date-time64.ts';
import { toNumber, type Money } from '../money.ts';
import type { CostResolveReq, CostResolveRes } from '../openapi-types.ts';
import { fromStoredTier, toStoredTier } from './service-tier.ts';
import type { PriceClass } from './snapshot/choose-row.ts';
import type { ChosenPrice } from './snapshot/chosen-price.ts';
import type { PriceSnapshots } from './snapshot/price-snapshots.ts';

/** The price that applies to a model, in USD per token; null when there is none and the cost is unknown. */
export type ResolvedCost = CostResolveRes['results'][number];

/** Finds the price that applies to each model, and the rule by which its name was matched. */
export async function resolveCosts(
  prices: PriceSnapshots,
  request: CostResolveReq,
  signal: AbortSignal,
): Promise<ResolvedCost[]> {
  const snapshot = await prices.current(request.project_id, signal);
  const at = toPriceClass(request);
  return [...new Set(request.models)].map((llm_id) => {
    const chosen = snapshot.choose(llm_id, at);
    return { llm_id, price: chosen === null ? null : toResolvedPrice(chosen) };
  });
}

function toPriceClass({ at, prompt_tokens, service_tier }: CostResolveReq): PriceClass {
  const startedUs = toUnixMicroseconds(toDateTime64(at ?? new Date().toISOString()) ?? '');
  return {
    periodUs: startedUs,
    // A price above some tokens applies to prompts of more.
    promptSize: BigInt(prompt_tokens) - 1n,
    serviceTier: toStoredTier(service_tier),
    minuteOfWeek: toMinuteOfWeek(startedUs),
  };
}

const minutesPerWeek = 7n * 24n * 60n;

/** The first day of 1970 was a Thursday. */
const firstMinuteOf1970 = 3n * 24n * 60n;

/** @returns minutes since Monday 00:00 UTC */
function toMinuteOfWeek(us: bigint): number {
  const week = minutesPerWeek * 60_000_000n;
  const sinceMonday = (us + firstMinuteOf1970 * 60_000_000n) % week;
  return Number((sinceMonday < 0n ? sinceMonday + week : sinceMonday) / 60_000_000n);
}

function toResolvedPrice({ row, rule, notContained }: ChosenPrice): ResolvedCost['price'] {
  const { costs } = row;
  return {
    id: row.id,
    pricing_level: row.level,
    provider_id: row.providerId,
    rule,
    alias_of: rule === 'exact' ? null : row.llmId,
    effective_date: row.effectiveDate,
    prompt_tokens_above: Number(row.promptTokensAbove),
    service_tier: fromStoredTier(row.serviceTier),
    minutes_of_week: row.minutesOfWeek,
    prompt_token_cost: toNumber(costs.prompt_token_cost),
    completion_token_cost: toNumber(costs.completion_token_cost),
    cache_read_input_token_cost: toNumberOrNull(costs.cache_read_input_token_cost),
    cache_creation_input_token_cost: toNumberOrNull(costs.cache_creation_input_token_cost),
    cache_creation_1h_input_token_cost: toNumberOrNull(costs.cache_creation_1h_input_token_cost),
    audio_input_token_cost: toNumberOrNull(costs.audio_input_token_cost),
    audio_output_token_cost: toNumberOrNull(costs.audio_output_token_cost),
    not_contained: notContained,
  };
}

function toNumberOrNull(money: Money | null): number | null {
  return money === null ? null : toNumber(money);
}
