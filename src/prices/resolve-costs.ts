import { toDateTime64 } from '../clickhouse/client/date-time64.ts';
import type { ClickHouse } from '../clickhouse/clickhouse.ts';
import type { ResolveAliases } from './resolve-aliases.ts';

export interface ResolveQuery {
  readonly project_id: string;
  readonly models: readonly string[];
  /** ISO 8601; now where it is absent. */
  readonly at?: string | null;
  /** Which prompt's price it is where a price changes with that. */
  readonly prompt_tokens: number;
}

/** Which price applies to a model; USD per token. */
export interface ResolvedCost {
  readonly llm_id: string;
  /** Null where there is none, and costs are unknown. */
  readonly price: null | {
    readonly id: string;
    readonly pricing_level: 'default' | 'project';
    readonly provider_id: string;
    /** How the name was found: `exact`, or the price book's rule. */
    readonly rule: string;
    /** The name of the book that it was found to be. */
    readonly alias_of: string | null;
    readonly effective_date: string;
    readonly prompt_tokens_above: number;
    readonly prompt_token_cost: number;
    readonly completion_token_cost: number;
    readonly cache_read_input_token_cost: number | null;
    readonly cache_creation_input_token_cost: number | null;
  };
}

/** A row of resolve_costs.sql; numbers as text. */
type Row = { readonly llm_id: string } & Readonly<Record<string, string | null>>;

/** Says for each model which price applies, and by which rule; names that the price book knows are learned first. */
export async function resolveCosts(
  clickhouse: ClickHouse,
  resolveAliases: ResolveAliases,
  { project_id, models, at, prompt_tokens }: ResolveQuery,
  signal: AbortSignal,
): Promise<ResolvedCost[]> {
  const time = toDateTime64(at ?? new Date().toISOString());
  const parameters = { project_id, models, at: time, prompt_tokens };
  const read = async (): Promise<Map<string, Row>> => {
    const rows = await clickhouse.read<Row>('resolve_costs', parameters, { signal });
    return new Map(rows.map((row) => [row.llm_id, row]));
  };
  let found = await read();
  const learned = await resolveAliases(models.filter((model) => !found.has(model)));
  if (learned.size > 0) found = await read();
  return [...new Set(models)].map((model) => toResolved(model, found.get(model)));
}

function toResolved(llm_id: string, row: Row | undefined): ResolvedCost {
  if (row === undefined) return { llm_id, price: null };
  const text = (name: string): string => row[name] ?? '';
  const number = (name: string): number => Number(row[name]);
  const orNull = (name: string): number | null => (row[name] === null ? null : Number(row[name]));
  return {
    llm_id,
    price: {
      id: text('id'),
      pricing_level: text('pricing_level') as 'default' | 'project',
      provider_id: text('provider_id'),
      rule: text('match_rule') || 'exact',
      alias_of: text('alias_of') || null,
      effective_date: text('effective_date'),
      prompt_tokens_above: number('prompt_tokens_above'),
      prompt_token_cost: number('prompt_token_cost'),
      completion_token_cost: number('completion_token_cost'),
      cache_read_input_token_cost: orNull('cache_read_input_token_cost'),
      cache_creation_input_token_cost: orNull('cache_creation_input_token_cost'),
    },
  };
}
