import type { StoredServiceTier } from '../../prices/service-tier.ts';
import type { ChosenPrice, UsageCounters } from '../../prices/snapshot/chosen-price.ts';
import type { PriceSnapshot } from '../../prices/snapshot/price-snapshot.ts';
import { fromCounted, fromStoredSums, type StoredSums } from '../usage-counters.ts';

/** A row of locate_calls.sql. */
export interface LocatedCall {
  readonly call_id: string;
  readonly trace_id: string;
  readonly is_root: 0 | 1;
  readonly is_rolled_up: 0 | 1;
}

/** Usage of a requested call, or of one of its descendants, by one model and price. */
export interface UsageRow {
  /** Identifies the requested call to whose usage the row adds. */
  readonly call_key: string;
  /** Whether the requested call itself is in the row. */
  readonly is_present: boolean;
  /** The id of the requested call, which may be unknown or deleted. */
  readonly call_id: string;
  /** The nearest requested ancestor, in the row that contains the requested call. Without one `0`, or empty where keys are trace ids. */
  readonly ancestor_key: string;
  /** Empty for calls without usage. */
  readonly model: string;
  readonly counters: UsageCounters;
  /** Null if the model has no price, or if nobody knows what its requests used. */
  readonly price: ChosenPrice | null;
  /**
   * Requests, prompt, completion and total that do not count, since they are those of other calls; empty for none or if
   * unknown. Below 0 where there is a condition: the usage is double counted elsewhere, unless the condition holds.
   */
  readonly doubleCounted: readonly bigint[];
  /** Under which condition the usage counts; null: always. */
  readonly condition: Condition | null;
  /** An integer as text. */
  readonly calls: string;
  readonly unfinished_call_ids: readonly string[];
}

/** Of a span of OpenTelemetry: it depends on the requested call whether its usage counts. */
export interface Condition {
  /** Of the rows of one response, those of the smallest place in the requested subtree count; `0` for none. */
  readonly response: string;
  readonly place: number;
  /** Whether the usage counts for the requested call of the row only, not for its ancestors. */
  readonly isOwnOnly: boolean;
}

/** The columns that all statements have; wide integers as text. */
interface StatementRow {
  readonly call_key: string;
  readonly model: string;
  readonly service_tier: string;
  // The price class, see sql/queries/fragments/usage/price_class.sql.
  readonly period_us: string;
  readonly prompt_size: string;
  readonly minute_of_week: number;
  /** Empty for calls without usage. */
  readonly counters: readonly string[];
  /** Only of statements that subtract; empty unless it is an explanation that is requested. */
  readonly double_counted?: readonly string[];
  readonly calls: string;
  readonly unfinished_call_ids: readonly string[];
}

/** A row of a tree walk; `counters` are counted. */
export interface TreeWalkRow extends StatementRow {
  readonly call_id: string;
  readonly is_present: 0 | 1;
  readonly ancestor_key: string;
  /** Deleted calls without an end whose usage is subtracted from a parent's. */
  readonly deleted_open_call_ids?: readonly string[];
  /** Only of usage_tree_walk.sql: whether there are spans of OpenTelemetry, whose usage it does not count. */
  readonly is_otel?: 0 | 1;
  // Only of those for spans, see Condition.
  readonly response?: string;
  readonly place?: string;
  readonly is_own_only?: 0 | 1;
}

/** A row of usage_tree_walk_stored.sql or usage_tree_walk_otel.sql; `counters` are as stored. */
export interface StoredTreeWalkRow extends TreeWalkRow, StoredSums {
  /** Bits: 1 if usage was rolled up, which the statement does not subtract, 2 if there are spans of OpenTelemetry. */
  readonly usage_modes: number;
}

export function isStored(row: TreeWalkRow): row is StoredTreeWalkRow {
  return 'usage_modes' in row;
}

/** A row of usage_flat_sum_counted.sql, `counters` are counted; `call_key` is the trace. */
export interface FlatSumRow extends StatementRow {
  /** How many calls without a parent are in the row. */
  readonly roots: string;
  readonly needs_tree_walk: 0 | 1;
  /** Only of usage_flat_sum_counted.sql: whether there are spans of OpenTelemetry. */
  readonly is_otel?: 0 | 1;
}

/** A row of the other flat sums; `counters` are as stored. */
export interface StoredSumRow extends FlatSumRow, StoredSums {
  /** Bits: 1 if usage was rolled up that the statement does not subtract, 2 if there are spans of OpenTelemetry. */
  readonly usage_modes: number;
  /** Only of usage_flat_sum_ordered.sql: whether the id of a call is smaller than its parent's. */
  readonly is_unordered?: 0 | 1;
  /** Only of usage_flat_sum_ordered.sql: the number of distinct keys and parents in the trace. */
  readonly keys?: string;
}

/** A row of usage_flat_sum_otel.sql and usage_flat_sum_repeated.sql. */
export interface OtelSumRow extends StoredSumRow {
  /** Whether spans of the trace may repeat usage that the statement does not leave out. */
  readonly needs_rule: 0 | 1;
  /** Only of usage_flat_sum_repeated.sql: whether the trace has more calls than it reads. */
  readonly is_large?: 0 | 1;
}

/** What is read from a rollup; `counters` are counted. */
export type RolledUpRow = Omit<StatementRow, 'call_key' | 'double_counted'>;

/** A row of usage_rollups.sql. */
export interface RollupRow extends RolledUpRow {
  /** Of the call among the requested ones, from 1, as text. */
  readonly position: string;
  /** Of the last call, as text. */
  readonly max_started_us: string;
  /** Of the largest prompt, as text. */
  readonly max_prompt_size: string;
  readonly deleted_open_call_ids: readonly string[];
}

/** The prices of a request; null for one without costs. */
export type RequestedPrices = Pick<PriceSnapshot, 'choose'> | null;

export function fromTreeWalk(row: TreeWalkRow, prices: RequestedPrices): UsageRow {
  const condition = toCondition(row);
  const counters = isStored(row) ? fromStoredSums(row.counters) : fromCounted(row.counters);
  const usage = toUsageRow(row, row, counters, prices);
  if (condition === null) return usage;
  const doubleCounted = counters.slice(0, 4).map((n) => -n);
  return { ...usage, doubleCounted, condition, is_present: false };
}

function toCondition({ response = '0', place = '0', is_own_only }: TreeWalkRow): Condition | null {
  return place === '0' ? null : { response, place: Number(place), isOwnOnly: is_own_only === 1 };
}

/** @param callId of the row's call, which no other requested call descends from */
export function fromRollup(row: RolledUpRow, callId: string, prices: RequestedPrices): UsageRow {
  const call = { call_key: `rollup of ${callId}`, call_id: callId, is_present: 1 } as const;
  return toUsageRow(row, call, fromCounted(row.counters), prices);
}

/** @param callId the requested root of the row's trace */
export function fromFlatSum(row: FlatSumRow, callId: string, prices: RequestedPrices): UsageRow {
  return toUsageRow(row, toRoot(row, callId), fromCounted(row.counters), prices);
}

/** @param callId the requested root of the row's trace */
export function fromStoredSum(
  row: StoredSumRow,
  callId: string,
  prices: RequestedPrices,
): UsageRow {
  return toUsageRow(row, toRoot(row, callId), fromStoredSums(row.counters), prices);
}

/** The requested call of a row. */
type RowCall = Pick<TreeWalkRow, 'call_key' | 'call_id' | 'is_present'> &
  Partial<Pick<TreeWalkRow, 'ancestor_key'>>;

function toRoot({ call_key, roots }: FlatSumRow, callId: string): RowCall {
  return { call_key, call_id: callId, is_present: roots === '0' ? 0 : 1 };
}

/** Written out, since an answer may have a million rows: a spread takes longer than all else. */
function toUsageRow(
  row: Omit<StatementRow, 'call_key'>,
  { call_key, call_id, ancestor_key = '', is_present }: RowCall,
  counters: UsageCounters,
  prices: RequestedPrices,
): UsageRow {
  return {
    call_key,
    is_present: is_present === 1,
    call_id,
    ancestor_key,
    model: row.model,
    counters,
    price: isUncounted(counters) ? null : choosePrice(row, prices),
    doubleCounted: row.double_counted?.map(BigInt) ?? [],
    condition: null,
    calls: row.calls,
    unfinished_call_ids: row.unfinished_call_ids,
  };
}

/** Whether nothing is known of what the requests of these counters used; also if there are none. */
export function isUncounted(counters: UsageCounters): boolean {
  const [requests = 0n, , , total = 0n] = counters;
  return requests === counters[11] && total === 0n;
}

/** What decides which price applies to a row. */
export type PricedRow = Pick<
  StatementRow,
  'model' | 'service_tier' | 'period_us' | 'prompt_size' | 'minute_of_week' | 'counters'
>;

export function choosePrice(row: PricedRow, prices: RequestedPrices): ChosenPrice | null {
  if (prices === null || row.counters.length === 0) return null;
  return prices.choose(row.model, {
    periodUs: BigInt(row.period_us),
    promptSize: BigInt(row.prompt_size),
    serviceTier: toServiceTier(row.service_tier),
    minuteOfWeek: row.minute_of_week,
  });
}

/** Providers have other names for standard. */
function toServiceTier(name: string): StoredServiceTier {
  return pricedTiers.find((tier) => tier === name) ?? '';
}

const pricedTiers = ['batch', 'flex', 'priority'] as const;
