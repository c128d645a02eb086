import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import { ResultTooLargeError } from '../clickhouse/errors.ts';
import type { CostFilter, costFields } from './cost-filter.ts';

/** A price of a project as POST /cost/query answers it; USD per token. */
export interface Cost {
  readonly id: string;
  readonly llm_id: string;
  readonly provider_id: string;
  /** ISO 8601 with microseconds and `Z`. */
  readonly effective_date: string;
  readonly prompt_token_cost: number;
  readonly completion_token_cost: number;
  readonly cache_read_input_token_cost: number | null;
  readonly cache_creation_input_token_cost: number | null;
  readonly prompt_token_cost_unit: string;
  readonly completion_token_cost_unit: string;
}

type CostField = (typeof costFields)[number];

export interface CostQuery {
  readonly project_id: string;
  readonly where: CostFilter | undefined;
  /** Which fields are answered; none for all. */
  readonly fields: readonly CostField[];
  readonly sortBy: readonly { readonly field: CostField; readonly direction: 'asc' | 'desc' }[];
  readonly limit: number | undefined;
  readonly offset: number;
}

/** How many prices a project may have to be asked for them: each is looked at in the service. */
const mostCosts = 20_000;

/** A row of query_costs.sql. */
type CostRow = Record<keyof Cost, string | null>;

/**
 * Reads prices of a project, never default ones: by model and date, or as asked. A project has few prices
 * (20,000 at most), so what is asked of them is looked at here.
 * @throws {ResultTooLargeError} it has more.
 */
export async function queryCosts(
  clickhouse: ClickHouse,
  query: CostQuery,
  signal: AbortSignal,
): Promise<Partial<Cost>[]> {
  const parameters = { project_id: query.project_id, most: mostCosts + 1 };
  const rows = await clickhouse.read<CostRow>('query_costs', parameters, { signal });
  if (rows.length > mostCosts) throw new ResultTooLargeError(`more than ${mostCosts} prices`);
  const found = rows.map(toCost).filter((cost) => query.where?.(cost) ?? true);
  const sorted = query.sortBy.length === 0 ? found : found.sort(toOrder(query.sortBy));
  const end = query.limit === undefined ? undefined : query.offset + query.limit;
  return sorted.slice(query.offset, end).map((cost) => pickFields(cost, query.fields));
}

function toCost(row: CostRow): Cost {
  const text = (field: keyof Cost): string => row[field] ?? '';
  const price = (field: keyof Cost): number | null =>
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
    prompt_token_cost_unit: text('prompt_token_cost_unit'),
    completion_token_cost_unit: text('completion_token_cost_unit'),
  };
}

/** Orders by one field after the other; what is null comes first. */
function toOrder(sortBy: CostQuery['sortBy']): (a: Cost, b: Cost) => number {
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

function pickFields(cost: Cost, fields: readonly CostField[]): Partial<Cost> {
  if (fields.length === 0) return cost;
  return Object.fromEntries(fields.map((field) => [field, cost[field]]));
}
