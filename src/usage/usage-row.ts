/** A row of sql/queries/calls_usage.sql; integers and decimals as text. */
export interface UsageRow {
  readonly call_id: string;
  readonly above_call_id: string;
  readonly is_there: 0 | 1;
  readonly model: string;
  readonly requests: string;
  readonly prompt_tokens: string;
  readonly completion_tokens: string;
  readonly total_tokens: string;
  /** USD; null where the model has no price. */
  readonly prompt_cost: string | null;
  readonly completion_cost: string | null;
  readonly calls: string;
  readonly unfinished_call_ids: readonly string[];
}
