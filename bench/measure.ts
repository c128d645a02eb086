import type { ClickHouseClient } from '@clickhouse/client';

import { checkAnswers } from './check-answers.ts';
import type { Window } from './costs.ts';
import type { Scenario } from './scenarios.ts';
import type { Scale } from './scale.ts';
import { readMemory, resetPeakMemory, type ServiceProcess } from './servers.ts';
import { readKeys, type Totals, type Way, type WayName, wayNames } from './strategies.ts';

export interface Times {
  readonly runs: number;
  readonly median: number;
  readonly p95: number;
}

/** What one way took, in milliseconds, or why it could not be taken. */
export type Outcome = Times | { readonly reason: string };

export interface Measured {
  readonly scenario: Scenario;
  readonly outcomes: Readonly<Record<WayName, Outcome>>;
  /** When each way was asked first, for what ClickHouse's log says of it. */
  readonly windows: ReadonlyMap<WayName, Window>;
  /** The most that the service's memory stood above its idle state while it was asked, in MiB. */
  readonly rssGrowthMb: number | null;
}

export interface Bench {
  readonly client: ClickHouseClient;
  readonly service: ServiceProcess;
  readonly ways: Readonly<Record<WayName, Way>>;
  readonly scale: Scale;
  /** The service's memory before the first scenario, in MiB. */
  readonly idleMb: number | undefined;
}

/** A way that answers faster than this, in milliseconds, is asked once more before it is timed. */
const warmUpMs = 500;

/** Measures all ways in turns, so that noise hits all alike; the order changes from run to run. */
export async function measure(bench: Bench, scenario: Scenario): Promise<Measured> {
  const { reasons, windows } = await compare(bench, scenario);
  await resetPeakMemory(bench.service);
  // A way that took all of its time already is not asked again: its first answer is its only run.
  const first = (name: WayName): number[] => {
    const ms = lengthOf(windows.get(name));
    return ms > bench.scale.secondsPerWay * 1000 ? [ms] : [];
  };
  const times: Record<WayName, number[]> = {
    floor: first('floor'),
    ours: first('ours'),
    level_by_level: first('level_by_level'),
    fetch_and_fold: first('fetch_and_fold'),
  };
  for (let run = -1; run < bench.scale.runs; run += 1) {
    for (const [index] of wayNames.entries()) {
      const name = wayNames[(index + Math.abs(run)) % wayNames.length] ?? 'floor';
      if (reasons.has(name) || isSpent(times[name], bench.scale)) continue;
      if (run < 0 && lengthOf(windows.get(name)) > warmUpMs) continue;
      const ms = await time(() => bench.ways[name](scenario.ids));
      if (run >= 0) times[name].push(ms);
    }
  }
  const peak = (await readMemory(bench.service))?.peak;
  const outcome = (name: WayName): Outcome => {
    const reason = reasons.get(name);
    return reason === undefined ? toTimes(times[name]) : { reason };
  };
  return {
    scenario,
    outcomes: {
      floor: outcome('floor'),
      ours: outcome('ours'),
      level_by_level: outcome('level_by_level'),
      fetch_and_fold: outcome('fetch_and_fold'),
    },
    windows,
    rssGrowthMb:
      peak === undefined || bench.idleMb === undefined ? null : round(peak - bench.idleMb),
  };
}

/** What asking in each way once showed. */
interface FirstAnswers {
  /** Why the engine cannot finish a way. */
  readonly reasons: ReadonlyMap<WayName, string>;
  readonly windows: ReadonlyMap<WayName, Window>;
}

/** Asks in each way once and compares the answers; a way that the engine cannot finish is told of. */
async function compare(bench: Bench, scenario: Scenario): Promise<FirstAnswers> {
  const keys = await readKeys(bench.client, scenario.ids);
  const reasons = new Map<WayName, string>();
  const windows = new Map<WayName, Window>();
  const answers = new Map<WayName, Totals>();
  for (const name of wayNames) {
    try {
      const from = Date.now();
      answers.set(name, await bench.ways[name](scenario.ids));
      windows.set(name, { from, to: Date.now() });
    } catch (error) {
      reasons.set(name, (error as Error).message.split('\n')[0]?.slice(0, 160) ?? 'unknown');
    }
  }
  checkAnswers(scenario, answers, keys);
  return { reasons, windows };
}

function lengthOf(window: Window | undefined): number {
  return window === undefined ? 0 : window.to - window.from;
}

function isSpent(times: readonly number[], scale: Scale): boolean {
  const sum = times.reduce((total, ms) => total + ms, 0);
  return times.length > 0 && sum + sum / times.length > scale.secondsPerWay * 1000;
}

async function time(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** Median and 95th percentile of times, to a tenth of a millisecond. */
export function toTimes(values: readonly number[]): Times {
  return { runs: values.length, median: quantile(values, 0.5), p95: quantile(values, 0.95) };
}

/** The value that `share` of all values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
