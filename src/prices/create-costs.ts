import { randomUUID } from 'node:crypto';

import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import { toDecimal } from './decimal.ts';

/** One price of POST /cost/create, valid against `CostCreateInput` of openapi/service.openapi.yaml; USD per token. */
export interface CostCreateInput {
  readonly prompt_token_cost: number;
  readonly completion_token_cost: number;
  readonly cache_read_input_token_cost?: number | null;
  readonly cache_creation_input_token_cost?: number | null;
  readonly prompt_token_cost_unit?: string | null;
  readonly completion_token_cost_unit?: string | null;
  readonly effective_date?: string | null;
  readonly provider_id?: string | null;
}

/**
 * Stores prices of a project as one insert.
 * @param costs from llm_id to its price
 * @returns [cost id, llm_id] for each, in the order given
 */
export async function createCosts(
  clickhouse: ClickHouse,
  projectId: string,
  costs: ReadonlyMap<string, CostCreateInput>,
  createdBy: string,
): Promise<[string, string][]> {
  const now = new Date().toISOString();
  const rows = [...costs].map(([llm_id, cost]) => ({
    id: randomUUID(),
    pricing_level: 'project',
    pricing_level_id: projectId,
    provider_id: cost.provider_id ?? 'default',
    llm_id,
    effective_date: toDateTime64(cost.effective_date ?? now),
    prompt_token_cost: toDecimal(cost.prompt_token_cost),
    completion_token_cost: toDecimal(cost.completion_token_cost),
    cache_read_input_token_cost: toOptionalDecimal(cost.cache_read_input_token_cost),
    cache_creation_input_token_cost: toOptionalDecimal(cost.cache_creation_input_token_cost),
    prompt_token_cost_unit: cost.prompt_token_cost_unit ?? 'USD',
    completion_token_cost_unit: cost.completion_token_cost_unit ?? 'USD',
    created_by: createdBy,
  }));
  await clickhouse.insert('llm_token_prices', rows);
  return rows.map(({ id, llm_id }) => [id, llm_id]);
}

function toOptionalDecimal(price: number | null | undefined): string | null {
  return price === null || price === undefined ? null : toDecimal(price);
}
