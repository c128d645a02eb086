import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../clickhouse/errors.ts';
import type {
  CostField,
  CostOutputField,
  CostQueryOutput,
  CostQueryReq,
  CostSort,
} from '../openapi-types.ts';
import { toCostFilter } from './cost-filter.ts';
import { fromStoredTier } from './service-tier.ts';
import type { MinuteRange } from './snapshot/price-row.ts';

/** A price of a project, in USD per token; `effective_date` is ISO 8601 with microseconds and `Z`. */
export type Cost = Required<CostQueryOutput>;

/** Prices that a project may have to be queried: the service filters and sorts them. */
const maxCosts = 20_000;

/** A row of query_costs.sql. */
type CostRow = Record<CostField, string | null> & {
  readonly minutes_of_week: readonly MinuteRange[];
};

/**
 * Reads prices of a project, without default prices. ClickHouse returns all of them, sorted by model and date: a
 * project has few prices, so the service filters, sorts and pages.
 * @throws {ResultTooLargeError} when the project has more than 20,000 prices
 */
export async function queryCosts(
  clickhouse: ClickHouse,
  { project_id, query, fields, sort_by, limit, offset }: CostQueryReq,
  signal: AbortSignal,
): Promise<CostQueryOutput[]> {
  const parameters = { project_id, max_costs: maxCosts + 1 };
  const rows = await clickhouse.read<CostRow>('query_costs', parameters, { signal });
  if (rows.length > maxCosts) throw new ResultTooLargeError(`more than ${maxCosts} prices`);
  const filter = query ? toCostFilter(query.$expr) : () => true;
  const costs = rows.map(toCost).filter((cost) => filter(cost));
  const sorted = sort_by ? costs.sort(toOrder(sort_by)) : costs;
  const start = offset ?? 0;
  const end = typeof limit === 'number' ? start + limit : undefined;
  return sorted.slice(start, end).map((cost) => pickFields(cost, fields ?? []));
}

function toCost(row: CostRow): Cost {
  const text = (field: CostField): string => row[field] ?? '';
  const price = (field: CostField): number | null =>
    row[field] === null ? null : Number(row[field]);
  return {
    id: text('id'),
    llm_id: text('llm_id'),
    provider_id: text('provider_id'),
    effective_date: text('effective_date'),
    prompt_token_cost: price('prompt_token_cost') ?? 0,
    completion_token_cost: price('completion_token_cost') ?? 0,
    cache_read_input_token_cost: price('cache_read_input_token_cost'),
    cache_creation_input_token_cost: price('cache_creation_input_token_cost'),
    cache_creation_1h_input_token_cost: price('cache_creation_1h_input_token_cost'),
    audio_input_token_cost: price('audio_input_token_cost'),
    audio_output_token_cost: price('audio_output_token_cost'),
    prompt_token_cost_unit: text('prompt_token_cost_unit'),
    completion_token_cost_unit: text('completion_token_cost_unit'),
    prompt_tokens_above: Number(row.prompt_tokens_above),
    service_tier: fromStoredTier(text('service_tier')),
    minutes_of_week: row.minutes_of_week,
  };
}

/** Sorts by the first field, then by the next one; null is the smallest value. */
function toOrder(sortBy: readonly CostSort[]): (a: Cost, b: Cost) => number {
  return (a, b) => {
    for (const { field, direction } of sortBy) {
      const [x, y] = direction === 'asc' ? [a[field], b[field]] : [b[field], a[field]];
      if (x === y) continue;
      if (x === null || y === null) return x === null ? -1 : 1;
      return x < y ? -1 : 1;
    }
    return 0;
  };
}

function pickFields(cost: Cost, fields: readonly CostOutputField[]): CostQueryOutput {
  if (fields.length === 0) return cost;
  return Object.fromEntries(fields.map((field) => [field, cost[field]]));
}
