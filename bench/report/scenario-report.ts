import { toRatio } from '../support/statistics.ts';
import type { MeasuredScenario, Outcome, Times } from '../usage/measure-scenario.ts';
import type { ProcessorTimes, QueryStatistics } from '../usage/query-statistics.ts';

/** A scenario in the JSON report; times in milliseconds, memory in MiB, null if it could not be measured. */
export interface ScenarioReport {
  readonly name: string;
  readonly runs: number;
  readonly floor_ms: number | null;
  readonly ours_ms: number | null;
  /** Of a service without rollups. */
  readonly live_ms: number | null;
  readonly level_by_level_ms: number | null;
  readonly fetch_and_fold_ms: number | null;
  readonly floor_p95_ms: number | null;
  readonly ours_p95_ms: number | null;
  readonly live_p95_ms: number | null;
  readonly level_by_level_p95_ms: number | null;
  readonly fetch_and_fold_p95_ms: number | null;
  readonly ours_to_floor: number | null;
  readonly live_to_floor: number | null;
  readonly ours_to_fetch_and_fold: number | null;
  /** Processor time of ClickHouse. */
  readonly floor_processor_ms: number | null;
  readonly ours_processor_ms: number | null;
  readonly processor_to_floor: number | null;
  readonly live_processor_ms: number | null;
  readonly live_processor_to_floor: number | null;
  /** All rows read, including those that a recursion passes from one step to the next. */
  readonly rows_read_to_floor: number | null;
  /** Rows read from tables. */
  readonly table_rows_read_to_floor: number | null;
  readonly query_peak_mb: number | null;
  readonly floor_query_peak_mb: number | null;
  readonly rss_growth_mb: number | null;
  /** Number of runs of each strategy; slow ones have fewer. */
  readonly runs_of_ways: Readonly<Record<string, number>>;
  /** Why the times of a strategy are null. */
  readonly reasons: Readonly<Record<string, string>>;
}

export function toScenarioReport(
  { scenario, outcomes, rssGrowthMb }: MeasuredScenario,
  statistics: Readonly<Record<'floor' | 'ours', QueryStatistics | null>>,
  processorMs: ProcessorTimes,
): ScenarioReport {
  const { floor, ours, live, level_by_level, fetch_and_fold } = outcomes;
  const { floor: floorStatistics, ours: oursStatistics } = statistics;
  const entries = Object.entries(outcomes);
  const toRowRatio = (name: 'rowsRead' | 'tableRowsRead'): number | null =>
    toRatio(oursStatistics?.[name] ?? null, floorStatistics?.[name] ?? null);
  return {
    name: scenario.name,
    runs: toTimes(ours)?.runs ?? 0,
    floor_ms: toMedian(floor),
    ours_ms: toMedian(ours),
    live_ms: toMedian(live),
    level_by_level_ms: toMedian(level_by_level),
    fetch_and_fold_ms: toMedian(fetch_and_fold),
    floor_p95_ms: toTimes(floor)?.p95 ?? null,
    ours_p95_ms: toTimes(ours)?.p95 ?? null,
    live_p95_ms: toTimes(live)?.p95 ?? null,
    level_by_level_p95_ms: toTimes(level_by_level)?.p95 ?? null,
    fetch_and_fold_p95_ms: toTimes(fetch_and_fold)?.p95 ?? null,
    ours_to_floor: toRatio(toMedian(ours), toMedian(floor)),
    live_to_floor: toRatio(toMedian(live), toMedian(floor)),
    ours_to_fetch_and_fold: toRatio(toMedian(ours), toMedian(fetch_and_fold)),
    floor_processor_ms: processorMs.floor,
    ours_processor_ms: processorMs.ours,
    processor_to_floor: toRatio(processorMs.ours, processorMs.floor),
    live_processor_ms: processorMs.live,
    live_processor_to_floor: toRatio(processorMs.live, processorMs.floor),
    rows_read_to_floor: toRowRatio('rowsRead'),
    table_rows_read_to_floor: toRowRatio('tableRowsRead'),
    query_peak_mb: oursStatistics?.peakMb ?? null,
    floor_query_peak_mb: floorStatistics?.peakMb ?? null,
    rss_growth_mb: rssGrowthMb,
    runs_of_ways: Object.fromEntries(
      entries.map(([strategy, outcome]) => [strategy, toTimes(outcome)?.runs ?? 0]),
    ),
    reasons: Object.fromEntries(
      entries.flatMap(([strategy, outcome]) =>
        'reason' in outcome ? [[strategy, outcome.reason]] : [],
      ),
    ),
  };
}

function toTimes(outcome: Outcome): Times | undefined {
  return 'reason' in outcome ? undefined : outcome;
}

function toMedian(outcome: Outcome): number | null {
  return toTimes(outcome)?.median ?? null;
}
