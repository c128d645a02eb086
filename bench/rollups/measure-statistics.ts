import { isDeepStrictEqual } from 'node:util';

import type { ClickHouseClient } from '@clickhouse/client';

import { project, type Scale } from '../project/scale.ts';
import { readRows } from '../support/bench-client.ts';
import { liveUser } from '../support/processes.ts';
import { median, round } from '../support/statistics.ts';
import { post, refuseFailure } from '../support/usage-api.ts';
import { type Period, waitForQueryLog } from '../usage/query-statistics.ts';
import type { ServiceUrls } from '../usage/strategies.ts';

/** Tokens and costs of the whole project by hour and model. */
export const statisticsScenario = 'project_by_hour';

/** What a request for statistics costs from rollups and live, as it is in the JSON report. */
export interface StatisticsReport {
  readonly name: typeof statisticsScenario;
  readonly runs: number;
  readonly live_runs: number;
  readonly buckets: number;
  /** Medians. */
  readonly ours_ms: number;
  readonly live_ms: number;
  readonly ours_to_live: number;
  /** ClickHouse's processor time of a request, all statements together. */
  readonly ours_processor_ms: number;
  readonly live_processor_ms: number;
  readonly processor_to_live: number;
}

/** Each takes seconds. */
const maxLiveRuns = 3;

/** Compares the answers of both services, then measures them in turns. */
export async function measureStatistics(
  client: ClickHouseClient,
  urls: ServiceUrls,
  scale: Scale,
): Promise<StatisticsReport> {
  const body = await toRequest(client);
  const buckets = await compareAnswers(urls, body);
  const [ours, live]: [number[], number[]] = [[], []];
  const from = Date.now();
  for (let run = 0; run < scale.runs; run += 1) {
    if (run < maxLiveRuns) live.push(await time(urls.live, body));
    ours.push(await time(urls.ours, body));
  }
  const period = { from, to: Date.now() };
  await waitForQueryLog(client);
  const processorMs = {
    ours: await readProcessorMs(client, period, false, ours.length),
    live: await readProcessorMs(client, period, true, live.length),
  };
  const [oursMs, liveMs] = [round(median(ours), 1), round(median(live), 1)];
  return {
    name: statisticsScenario,
    ...{ runs: ours.length, live_runs: live.length, buckets },
    ...{ ours_ms: oursMs, live_ms: liveMs, ours_to_live: round(oursMs / liveMs, 3) },
    ours_processor_ms: processorMs.ours,
    live_processor_ms: processorMs.live,
    processor_to_live: round(processorMs.ours / processorMs.live, 3),
  };
}

async function toRequest(client: ClickHouseClient): Promise<object> {
  const [row] = await readRows<Record<'first' | 'last', string>>(
    client,
    `SELECT intDiv(min(started_us), 1000000) AS first, intDiv(max(started_us), 1000000) + 1 AS last
     FROM merged_calls WHERE project_id = {project:String}`,
    { project },
  );
  const toTime = (seconds = '0'): string => new Date(Number(seconds) * 1_000).toISOString();
  const metrics = ['input_tokens', 'output_tokens', 'total_tokens', 'total_cost'];
  return {
    ...{ project_id: project, start: toTime(row?.first), end: toTime(row?.last) },
    ...{ granularity: 3_600, group_by: ['model'] },
    usage_metrics: metrics.map((metric) => ({ metric })),
  };
}

/** @returns the number of buckets */
async function compareAnswers(urls: ServiceUrls, body: object): Promise<number> {
  const { live_traces: read, ...ours } = await ask(urls.ours, body);
  const { live_traces: all, ...live } = await ask(urls.live, body);
  if (!isDeepStrictEqual(ours, live)) throw new Error(`${statisticsScenario}: the answers differ`);
  if (read !== 0 || all === 0) throw new Error(`${statisticsScenario}: ${read} traces are live`);
  if (ours.usage_buckets.length === 0) throw new Error(`${statisticsScenario}: there is no usage`);
  return ours.usage_buckets.length;
}

interface Answer {
  readonly live_traces: number;
  readonly usage_buckets: readonly object[];
}

async function ask(url: string, body: object): Promise<Answer> {
  const response = await post(`${url}/calls/stats`, body);
  refuseFailure(response);
  return JSON.parse(response.text) as Answer;
}

async function time(url: string, body: object): Promise<number> {
  const start = performance.now();
  await ask(url, body);
  return performance.now() - start;
}

async function readProcessorMs(
  client: ClickHouseClient,
  { from, to }: Period,
  isLive: boolean,
  requests: number,
): Promise<number> {
  const [row] = await readRows<{ ms: string }>(
    client,
    `SELECT sum(ms) AS ms
     FROM
     (
         SELECT
             quantile(0.5)(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds'])
                 / 1000 * count() AS ms
         FROM system.query_log
         WHERE type = 'QueryFinish' AND is_initial_query
             AND toUnixTimestamp64Milli(query_start_time_microseconds) BETWEEN {from:Int64} AND {to:Int64}
             AND match(log_comment, '^(.*_orphan_ends|price_.*|stats_.*)$')
             AND (user = {liveUser:String}) = {isLive:Bool}
         GROUP BY log_comment
     )`,
    { from, to, isLive, liveUser },
  );
  return round(Number(row?.ms) / requests, 1);
}
