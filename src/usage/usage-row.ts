/** Usage of a requested call, or of one of its descendants, by one model; integers and decimals as text. */
export interface UsageRow {
  /** Names the requested call to whose usage the row adds. */
  readonly call_key: string;
  /** Whether the row holds the requested call itself. */
  readonly is_here: boolean;
  /** The requested call's id, in the row that holds it. */
  readonly call_id: string;
  /** The nearest requested call above, in the row that holds the requested call; `0` for none. */
  readonly above_key: string;
  /** Empty for calls that used none. */
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

/** What a row of each statement has. */
interface StatementRow {
  readonly call_key: string;
  readonly call_id: string;
  readonly model: string;
  /** Requests, prompt, completion, total, and what prices need; empty for calls that used no model. */
  readonly counters: readonly string[];
  /** The row of `llm_token_prices` that applied; empty where the model has no price, and costs have no meaning. */
  readonly price_id: string;
  readonly prompt_cost: string;
  readonly completion_cost: string;
  readonly calls: string;
  readonly unfinished_call_ids: readonly string[];
}

/** A row of calls_usage.sql. */
export interface TreeRow extends StatementRow {
  readonly is_here: 0 | 1;
  readonly above_key: string;
  /** Deleted calls without an end whose usage is taken out of a parent's. */
  readonly deleted_open_call_ids: readonly string[];
}

/** A row of calls_usage_roots.sql or calls_usage_rolled_up_roots.sql. */
export interface RootsRow extends StatementRow {
  /** How many of the requested ids are known; the same in all rows. */
  readonly known: string;
  /** How many calls without a parent the row holds. */
  readonly roots: string;
  readonly is_untidy: 0 | 1;
  readonly is_rolled_up: 0 | 1;
}

/** Reads a row of any of the statements. */
export function toUsageRow(row: TreeRow | RootsRow): UsageRow {
  const [requests = '0', prompt = '0', completion = '0', total = '0'] = row.counters;
  const isPriced = row.price_id !== '';
  return {
    call_key: row.call_key,
    is_here: 'roots' in row ? row.roots !== '0' : row.is_here === 1,
    call_id: row.call_id,
    above_key: 'above_key' in row ? row.above_key : '0',
    model: row.model,
    requests,
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: total,
    prompt_cost: isPriced ? row.prompt_cost : null,
    completion_cost: isPriced ? row.completion_cost : null,
    calls: row.calls,
    unfinished_call_ids: row.unfinished_call_ids,
  };
}
