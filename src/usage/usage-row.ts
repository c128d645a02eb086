/** A row of sql/queries/calls_usage.sql; integers and decimals as text. */
export interface UsageRow {
  /** Names the requested call to whose usage the row adds. */
  readonly call_key: string;
  /** The requested call's id, in the row that holds it; empty in the others. */
  readonly call_id: string;
  /** The nearest requested call above, in the row that holds the requested call; `0` for none. */
  readonly above_key: string;
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
