import type { ClickHouseClient } from '@clickhouse/client';

import { checkAnswers } from './check-answers.ts';
import type { Scenario } from './scenarios.ts';
import type { Scale } from './scale.ts';
import { readMemory, resetPeakMemory, type ServiceProcess } from './servers.ts';
import { readKeys, type Totals, type Way, type WayName, wayNames } from './ways.ts';

export interface Times {
  readonly runs: number;
  readonly median: number;
  readonly p95: number;
}

/** What one way took, in milliseconds, or why it could not be taken. */
export type Outcome = Times | { readonly reason: string };

/** What ClickHouse says of one question, in all its statements. */
export interface QueryCost {
  readonly rowsRead: number;
  readonly peakMb: number;
}

export interface Measured {
  readonly scenario: Scenario;
  readonly outcomes: Readonly<Record<WayName, Outcome>>;
  readonly costs: Readonly<Record<'floor' | 'ours', QueryCost>>;
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
  const { reasons, firstMs } = await compare(bench, scenario);
  await resetPeakMemory(bench.service);
  const times: Record<WayName, number[]> = {
    floor: [],
    ours: [],
    level_by_level: [],
    fetch_and_fold: [],
  };
  for (let run = -1; run < bench.scale.runs; run += 1) {
    for (const [index] of wayNames.entries()) {
      const name = wayNames[(index + Math.abs(run)) % wayNames.length] ?? 'floor';
      if (reasons.has(name) || isSpent(times[name], bench.scale)) continue;
      if (run < 0 && (firstMs.get(name) ?? 0) > warmUpMs) continue;
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
    costs: {
      floor: await readCost(bench, 'floor', scenario),
      ours: await readCost(bench, 'ours', scenario),
    },
    rssGrowthMb:
      peak === undefined || bench.idleMb === undefined ? null : round(peak - bench.idleMb),
  };
}

/** What asking in each way once showed. */
interface FirstAnswers {
  /** Why the engine cannot finish a way. */
  readonly reasons: ReadonlyMap<WayName, string>;
  readonly firstMs: ReadonlyMap<WayName, number>;
}

/** Asks in each way once and compares the answers; a way that the engine cannot finish is told of. */
async function compare(bench: Bench, scenario: Scenario): Promise<FirstAnswers> {
  const keys = await readKeys(bench.client, scenario.ids);
  const reasons = new Map<WayName, string>();
  const firstMs = new Map<WayName, number>();
  const answers = new Map<WayName, Totals>();
  for (const name of wayNames) {
    try {
      const ms = await time(async () => answers.set(name, await bench.ways[name](scenario.ids)));
      firstMs.set(name, ms);
    } catch (error) {
      reasons.set(name, (error as Error).message.split('\n')[0]?.slice(0, 160) ?? 'unknown');
    }
  }
  checkAnswers(scenario, answers, keys);
  return { reasons, firstMs };
}

function isSpent(times: readonly number[], scale: Scale): boolean {
  const sum = times.reduce((total, ms) => total + ms, 0);
  return times.length > 0 && sum + sum / times.length > scale.secondsPerWay * 1000;
}

/** Asks once more and reads from ClickHouse's log what that took there. */
async function readCost(
  bench: Bench,
  name: 'floor' | 'ours',
  scenario: Scenario,
): Promise<QueryCost> {
  const { client } = bench;
  const now = await readRow<{ now: string }>(client, 'SELECT toString(now64(6)) AS now', {});
  await bench.ways[name](scenario.ids).catch(() => undefined);
  await client.command({ query: 'SYSTEM FLUSH LOGS' });
  const row = await readRow<{ rows: string; peak: string }>(
    client,
    `SELECT sum(read_rows) AS rows, max(memory_usage) AS peak FROM system.query_log
     WHERE type != 'QueryStart' AND is_initial_query AND log_comment != ''
       AND query_start_time_microseconds >= toDateTime64({from:String}, 6)
       AND startsWith(log_comment, 'bench_') = {isBench:Bool}`,
    { from: now.now, isBench: name === 'floor' },
  );
  return { rowsRead: Number(row.rows), peakMb: round(Number(row.peak) / 1_048_576) };
}

async function readRow<Row>(
  client: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown>,
): Promise<Row> {
  const rows = await (
    await client.query({ query, query_params, format: 'JSONEachRow' })
  ).json<Row>();
  const [row] = rows;
  if (row === undefined) throw new Error(`no row: ${query}`);
  return row;
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
