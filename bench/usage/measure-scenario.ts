import type { ClickHouseClient } from '@clickhouse/client';

import { project, type Scale } from '../project/scale.ts';
import { readMemory, resetPeakMemory, type ServiceProcess } from '../support/processes.ts';
import { median, quantile, round } from '../support/statistics.ts';
import type { Totals } from './client-side-roll-up.ts';
import { compareAnswers } from './compare-answers.ts';
import type { Period } from './query-statistics.ts';
import type { Scenario } from './scenarios.ts';
import {
  locateCalls,
  type RequestedCalls,
  type Strategy,
  type StrategyName,
  strategyNames,
} from './strategies.ts';

/** What a scenario is measured with. */
export interface UsageBench {
  readonly client: ClickHouseClient;
  readonly service: ServiceProcess;
  readonly strategies: Readonly<Record<StrategyName, Strategy>>;
  readonly scale: Scale;
  /** The service's memory before the first scenario, in MiB; undefined except on Linux. */
  readonly idleMb: number | undefined;
}

export interface MeasuredScenario {
  readonly scenario: Scenario;
  readonly outcomes: Readonly<Record<StrategyName, Outcome>>;
  /** When each strategy ran for the first time, to find its queries in system.query_log. */
  readonly periods: ReadonlyMap<StrategyName, Period>;
  /** All runs of all strategies. */
  readonly period: Period;
  /** Peak of the service's memory above its idle state, in MiB. */
  readonly rssGrowthMb: number | null;
}

/** How long a strategy took, in milliseconds, or why ClickHouse could not finish it. */
export type Outcome = Times | { readonly reason: string };

export interface Times {
  readonly runs: number;
  readonly median: number;
  readonly p95: number;
}

/** A strategy whose first run was faster than this, in milliseconds, has one warm-up run. */
const maxWarmUpMs = 500;

/** Compares the answers of all strategies, then measures their times. */
export async function measureScenario(
  bench: UsageBench,
  scenario: Scenario,
): Promise<MeasuredScenario> {
  const requested = await locateCalls(bench.client, scenario.ids);
  const from = Date.now();
  const first = await runEachOnce(bench, requested);
  compareAnswers(scenario, first.answers, requested.keys);
  await resetPeakMemory(bench.service);
  const times = await timeInTurns(bench, scenario, requested, first);
  const period = { from, to: Date.now() };
  const peakMb = (await readMemory(bench.service))?.peak;
  const outcomes = toRecord((name): Outcome => {
    const reason = first.reasons.get(name);
    return reason === undefined ? toTimes(times[name]) : { reason };
  });
  const hasMemory = peakMb !== undefined && bench.idleMb !== undefined;
  const rssGrowthMb = hasMemory ? round(peakMb - bench.idleMb, 1) : null;
  return { scenario, outcomes, periods: first.periods, period, rssGrowthMb };
}

interface FirstRuns {
  readonly answers: ReadonlyMap<StrategyName, Totals>;
  /** Why ClickHouse could not finish a strategy. */
  readonly reasons: ReadonlyMap<StrategyName, string>;
  readonly periods: ReadonlyMap<StrategyName, Period>;
}

async function runEachOnce(bench: UsageBench, requested: RequestedCalls): Promise<FirstRuns> {
  const answers = new Map<StrategyName, Totals>();
  const reasons = new Map<StrategyName, string>();
  const periods = new Map<StrategyName, Period>();
  for (const name of strategyNames) {
    const from = Date.now();
    try {
      answers.set(name, await bench.strategies[name](requested));
      periods.set(name, { from, to: Date.now() });
    } catch (error) {
      reasons.set(name, (error as Error).message.split('\n')[0]?.slice(0, 160) ?? 'unknown');
    }
  }
  return { answers, reasons, periods };
}

/**
 * Times the strategies in turns, so that noise affects all of them alike; the order changes from run to run. For a
 * strategy whose first run took all of its time, that run is the only one.
 */
async function timeInTurns(
  { client, strategies, scale }: UsageBench,
  { changedIds = [] }: Scenario,
  requested: RequestedCalls,
  { reasons, periods }: FirstRuns,
): Promise<Readonly<Record<StrategyName, readonly number[]>>> {
  const maxMs = scale.secondsPerStrategy * 1_000;
  const firstMs = toRecord((name) => toDuration(periods.get(name)));
  const times = toRecord((name) => (firstMs[name] > maxMs ? [firstMs[name]] : []));
  // Run -1 is the warm-up.
  for (let run = -1; run < scale.runs; run += 1) {
    for (const name of rotate(strategyNames, Math.abs(run))) {
      const isWarmUp = run < 0;
      if (reasons.has(name) || isTimeUsedUp(times[name], maxMs)) continue;
      if (isWarmUp && firstMs[name] > maxWarmUpMs) continue;
      await storeAgain(client, changedIds);
      const ms = await time(() => strategies[name](requested));
      if (!isWarmUp) times[name].push(ms);
    }
  }
  return times;
}

/** Stores parts of calls once more, which changes their traces and no answer. */
async function storeAgain(client: ClickHouseClient, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const query = `INSERT INTO call_parts SELECT * FROM call_parts
    WHERE project_id = {project: String} AND id IN {ids: Array(String)} LIMIT 1 BY id`;
  await client.command({ query, query_params: { project, ids } });
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** Whether one more run of average duration would exceed the maximum. */
function isTimeUsedUp(times: readonly number[], maxMs: number): boolean {
  const sum = times.reduce((total, ms) => total + ms, 0);
  return times.length > 0 && sum + sum / times.length > maxMs;
}

function toDuration(period: Period | undefined): number {
  return period === undefined ? 0 : period.to - period.from;
}

async function time(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

function toTimes(times: readonly number[]): Times {
  return {
    runs: times.length,
    median: round(median(times), 1),
    p95: round(quantile(times, 0.95), 1),
  };
}

function toRecord<Value>(toValue: (name: StrategyName) => Value): Record<StrategyName, Value> {
  const entries = strategyNames.map((name) => [name, toValue(name)] as const);
  return Object.fromEntries(entries) as Record<StrategyName, Value>;
}
