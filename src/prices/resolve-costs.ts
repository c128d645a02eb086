import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { CostResolveReq, CostResolveRes } from '../openapi-types.ts';
import type { ResolveAliases } from './resolve-aliases.ts';

/** The price that applies to a model, in USD per token; null when there is none and the cost is unknown. */
export type ResolvedCost = CostResolveRes['results'][number];

/** A row of resolve_costs.sql; numbers are strings. */
type ResolvedRow = Readonly<Record<string, string | null>> & {
  readonly llm_id: string;
  readonly pricing_level: 'default' | 'project';
};

/**
 * Finds the price that applies to each model, and the rule by which its name was matched. Resolves model aliases first,
 * which may store them.
 */
export async function resolveCosts(
  clickhouse: ClickHouse,
  resolveAliases: ResolveAliases,
  { project_id, models, at, prompt_tokens }: CostResolveReq,
  signal: AbortSignal,
): Promise<ResolvedCost[]> {
  const time = toDateTime64(at ?? new Date().toISOString());
  const parameters = { project_id, models, at: time, prompt_tokens };
  const readRows = async (): Promise<Map<string, ResolvedRow>> => {
    const rows = await clickhouse.read<ResolvedRow>('resolve_costs', parameters, { signal });
    return new Map(rows.map((row) => [row.llm_id, row]));
  };
  let rows = await readRows();
  const aliases = await resolveAliases(models.filter((model) => !rows.has(model)));
  if (aliases.size > 0) rows = await readRows();
  return [...new Set(models)].map((model) => toResolvedCost(model, rows.get(model)));
}

function toResolvedCost(llm_id: string, row: ResolvedRow | undefined): ResolvedCost {
  if (row === undefined) return { llm_id, price: null };
  const text = (name: string): string => row[name] ?? '';
  const number = (name: string): number => Number(row[name]);
  const numberOrNull = (name: string): number | null =>
    row[name] === null ? null : Number(row[name]);
  return {
    llm_id,
    price: {
      id: text('id'),
      pricing_level: row.pricing_level,
      provider_id: text('provider_id'),
      rule: text('match_rule') || 'exact',
      alias_of: text('alias_of') || null,
      effective_date: text('effective_date'),
      prompt_tokens_above: number('prompt_tokens_above'),
      prompt_token_cost: number('prompt_token_cost'),
      completion_token_cost: number('completion_token_cost'),
      cache_read_input_token_cost: numberOrNull('cache_read_input_token_cost'),
      cache_creation_input_token_cost: numberOrNull('cache_creation_input_token_cost'),
    },
  };
}
