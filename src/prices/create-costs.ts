import { randomUUID } from 'node:crypto';

import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { CostCreateInput } from '../openapi-types.ts';
import { toDecimal } from './decimal.ts';
import { toEffectiveDate } from './effective-date.ts';
import { toStoredTier } from './service-tier.ts';

/**
 * Stores prices of a project, in USD per token, with one insert.
 * @param costs from llm_id to its price
 * @returns [cost id, llm_id] of each price, in the order of `costs`
 */
export async function createCosts(
  clickhouse: ClickHouse,
  projectId: string,
  costs: ReadonlyMap<string, CostCreateInput>,
  createdBy: string,
): Promise<[string, string][]> {
  const now = new Date().toISOString();
  const rows = [...costs].map(([llm_id, cost]) => ({
    ...toCostColumns(llm_id, cost, now),
    pricing_level_id: projectId,
    prompt_token_cost_unit: cost.prompt_token_cost_unit ?? 'USD',
    completion_token_cost_unit: cost.completion_token_cost_unit ?? 'USD',
    created_by: createdBy,
  }));
  await clickhouse.insert('llm_token_prices', rows);
  return rows.map(({ id, llm_id }) => [id, llm_id]);
}

/** What decides which calls a price applies to, and what they cost. */
export function toCostColumns(llm_id: string, cost: CostCreateInput, now: string) {
  return {
    id: randomUUID() as string,
    pricing_level: 'project' as const,
    provider_id: cost.provider_id ?? 'default',
    llm_id,
    effective_date: toEffectiveDate(cost.effective_date ?? now) ?? '',
    prompt_token_cost: toDecimal(cost.prompt_token_cost),
    completion_token_cost: toDecimal(cost.completion_token_cost),
    cache_read_input_token_cost: toOptionalDecimal(cost.cache_read_input_token_cost),
    cache_creation_input_token_cost: toOptionalDecimal(cost.cache_creation_input_token_cost),
    cache_creation_1h_input_token_cost: toOptionalDecimal(cost.cache_creation_1h_input_token_cost),
    audio_input_token_cost: toOptionalDecimal(cost.audio_input_token_cost),
    audio_output_token_cost: toOptionalDecimal(cost.audio_output_token_cost),
    prompt_tokens_above: cost.prompt_tokens_above ?? 0,
    service_tier: toStoredTier(cost.service_tier),
    minutes_of_week: cost.minutes_of_week ?? [],
  };
}

function toOptionalDecimal(price: number | null | undefined): string | null {
  return price === null || price === undefined ? null : toDecimal(price);
}
