import type { QueryCost } from './costs.ts';
import type { Measured, Outcome, Times } from './measure.ts';

/** A scenario as it stands in the JSON; times in milliseconds, memory in MiB. */
export interface ScenarioReport {
  readonly name: string;
  readonly runs: number;
  readonly floor_ms: number | null;
  readonly ours_ms: number | null;
  readonly level_by_level_ms: number | null;
  readonly fetch_and_fold_ms: number | null;
  readonly floor_p95_ms: number | null;
  readonly ours_p95_ms: number | null;
  readonly level_by_level_p95_ms: number | null;
  readonly fetch_and_fold_p95_ms: number | null;
  readonly ours_to_floor: number | null;
  readonly ours_to_fetch_and_fold: number | null;
  /** All rows that ClickHouse says it read, those that a recursion hands on from step to step among them. */
  readonly rows_read_to_floor: number | null;
  /** Rows read from tables. */
  readonly table_rows_read_to_floor: number | null;
  readonly query_peak_mb: number | null;
  readonly floor_query_peak_mb: number | null;
  readonly rss_growth_mb: number | null;
  /** Runs of each way: a slow one is asked less often. */
  readonly runs_of_ways: Readonly<Record<string, number>>;
  /** Why a way is null. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** What was measured of a scenario and what ClickHouse's log says of it, for the JSON. */
export function toScenarioReport(
  { scenario, outcomes, rssGrowthMb }: Measured,
  costs: Readonly<Record<'floor' | 'ours', QueryCost | null>>,
): ScenarioReport {
  const { floor, ours, level_by_level, fetch_and_fold } = outcomes;
  const entries = Object.entries(outcomes);
  return {
    name: scenario.name,
    runs: timesOf(ours)?.runs ?? 0,
    floor_ms: median(floor),
    ours_ms: median(ours),
    level_by_level_ms: median(level_by_level),
    fetch_and_fold_ms: median(fetch_and_fold),
    floor_p95_ms: timesOf(floor)?.p95 ?? null,
    ours_p95_ms: timesOf(ours)?.p95 ?? null,
    level_by_level_p95_ms: timesOf(level_by_level)?.p95 ?? null,
    fetch_and_fold_p95_ms: timesOf(fetch_and_fold)?.p95 ?? null,
    ours_to_floor: ratio(median(ours), median(floor)),
    ours_to_fetch_and_fold: ratio(median(ours), median(fetch_and_fold)),
    rows_read_to_floor: ratio(costs.ours?.rowsRead ?? null, costs.floor?.rowsRead ?? null),
    table_rows_read_to_floor: ratio(
      costs.ours?.tableRowsRead ?? null,
      costs.floor?.tableRowsRead ?? null,
    ),
    query_peak_mb: costs.ours?.peakMb ?? null,
    floor_query_peak_mb: costs.floor?.peakMb ?? null,
    rss_growth_mb: rssGrowthMb,
    runs_of_ways: Object.fromEntries(entries.map(([way, o]) => [way, timesOf(o)?.runs ?? 0])),
    reasons: Object.fromEntries(
      entries.flatMap(([way, o]) => ('reason' in o ? [[way, o.reason]] : [])),
    ),
  };
}

/** A quotient to two digits behind the point, three below 0.1; null where there is none. */
export function ratio(dividend: number | null, divisor: number | null): number | null {
  if (dividend === null || divisor === null || divisor === 0) return null;
  const value = dividend / divisor;
  return Number(value.toFixed(value < 0.1 ? 3 : 2));
}

function timesOf(outcome: Outcome): Times | undefined {
  return 'reason' in outcome ? undefined : outcome;
}

function median(outcome: Outcome): number | null {
  return timesOf(outcome)?.median ?? null;
}
