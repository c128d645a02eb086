import type { ReadOptions } from '../../../clickhouse/clickhouse.ts';
import type { PriceBoundaries } from '../../../prices/snapshot/price-level.ts';
import type { PricedRow } from '../../query/usage-row.ts';
import type { StatsQuery } from '../stats-query.ts';

/** Where rows of statistics come from. Rows of one bucket, group and price class may be several, and are added. */
export interface StatsSource {
  readUsage(query: UsageStatsQuery, options: ReadOptions): Promise<StatsRows<UsageStatsRow>>;
  readCalls(query: CallStatsQuery, options: ReadOptions): Promise<StatsRows<CallStatsRow>>;
  /** Reads both, which may take hardly longer than one of them. */
  readBoth(query: UsageStatsQuery & CallStatsQuery, options: ReadOptions): Promise<StatsOfBoth>;
}

export interface UsageStatsQuery extends StatsQuery {
  readonly boundaries: PriceBoundaries;
  /** Whether rows have the counters of each call, too. */
  readonly withValues: boolean;
}

export interface CallStatsQuery extends StatsQuery {
  /** Whether rows have the latency of each call, too. */
  readonly withLatencies: boolean;
}

export interface StatsRows<Row> {
  readonly rows: readonly Row[];
  /** How many traces were read call by call. */
  readonly liveTraces: number;
}

export interface StatsOfBoth {
  readonly usage: StatsRows<UsageStatsRow>;
  readonly calls: StatsRows<CallStatsRow>;
}

/** The columns by which rows are grouped; `value_1` and `value_2` are those of `groupColumns`. */
interface GroupedRow {
  readonly bucket_us: string;
  readonly value_1: string;
  readonly value_2: string;
}

/** A row of stats_row.sql: usage of one model and price class. Integers are text. */
export interface UsageStatsRow extends GroupedRow, PricedRow {
  readonly entries: string;
  readonly known_entries: string;
  readonly values: readonly (readonly string[])[];
}

/** A row of stats_calls.sql. */
export interface CallStatsRow extends GroupedRow {
  readonly calls: string;
  readonly errors: string;
  readonly finished_calls: string;
  readonly latency_us: string;
  readonly latencies_us: readonly string[];
}
