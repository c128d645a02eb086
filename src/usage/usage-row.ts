/** Usage of a requested call, or of one of its descendants, by one model; integers and decimals as text. */
export interface UsageRow {
  /** Identifies the requested call to whose usage the row adds. */
  readonly call_key: string;
  /** Whether the requested call itself is in the row. */
  readonly is_present: boolean;
  /** The id of the requested call, which may be unknown or deleted. */
  readonly call_id: string;
  /** The nearest requested ancestor, in the row that contains the requested call; `0` for none. */
  readonly ancestor_key: string;
  /** Empty for calls without usage. */
  readonly model: string;
  readonly requests: string;
  readonly prompt_tokens: string;
  readonly completion_tokens: string;
  readonly total_tokens: string;
  /** USD; null if the model has no price. */
  readonly prompt_cost: string | null;
  readonly completion_cost: string | null;
  readonly calls: string;
  readonly unfinished_call_ids: readonly string[];
}

/** The columns that all statements have. */
interface StatementRow {
  readonly call_key: string;
  readonly model: string;
  /** Requests, prompt, completion and total, then counters that only prices need; empty for calls without usage. */
  readonly counters: readonly string[];
  /** The row of `llm_token_prices` that applied; empty if the model has no price, and the costs mean nothing. */
  readonly price_id: string;
  readonly prompt_cost: string;
  readonly completion_cost: string;
  readonly calls: string;
  readonly unfinished_call_ids: readonly string[];
}

/** A row of usage_tree_walk.sql. */
export interface TreeWalkRow extends StatementRow {
  readonly call_id: string;
  readonly is_present: 0 | 1;
  readonly ancestor_key: string;
  /** Deleted calls without an end whose usage is subtracted from a parent's. */
  readonly deleted_open_call_ids: readonly string[];
}

/** A row of usage_flat_sum.sql or usage_flat_sum_rolled_up.sql; `call_key` is the trace. */
export interface FlatSumRow extends StatementRow {
  /** How many calls without a parent are in the row. */
  readonly roots: string;
  readonly needs_tree_walk: 0 | 1;
  readonly is_rolled_up: 0 | 1;
}

export function fromTreeWalk(row: TreeWalkRow): UsageRow {
  const { call_id, ancestor_key } = row;
  return { ...fromStatement(row), call_id, ancestor_key, is_present: row.is_present === 1 };
}

/** @param callId the requested root of the row's trace */
export function fromFlatSum(row: FlatSumRow, callId: string): UsageRow {
  const isPresent = row.roots !== '0';
  return { ...fromStatement(row), call_id: callId, ancestor_key: '0', is_present: isPresent };
}

function fromStatement(
  row: StatementRow,
): Omit<UsageRow, 'call_id' | 'ancestor_key' | 'is_present'> {
  const [requests = '0', prompt = '0', completion = '0', total = '0'] = row.counters;
  const isPriced = row.price_id !== '';
  return {
    call_key: row.call_key,
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
