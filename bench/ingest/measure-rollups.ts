import { setTimeout as sleep } from 'node:timers/promises';

import type { QueryName } from '../../src/clickhouse/client/statements/queries.ts';
import { rollupStatements } from '../../src/rollups/rules-version.ts';
import { countUnrolled } from '../rollups/measure-catch-up.ts';
import { readRows } from '../support/bench-client.ts';
import { round } from '../support/statistics.ts';
import { authorization } from '../support/usage-api.ts';
import { type Period, waitForQueryLog } from '../usage/query-statistics.ts';
import { defaultBatchSize, defaultClients, type IngestBench } from './ingest-bench.ts';

/** How rollups keep up with calls that arrive. */
export interface RollupLag {
  readonly parts_per_s: number;
  /** The longest that a trace which could have been rolled up has waited, as the service's metric says. */
  readonly lag_s_max: number;
  /** From the last part until all traces had rollups, the time included that they have to be unchanged. */
  readonly caught_up_after_s: number;
  /** ClickHouse's processor time for rollups per part: 25 are a quarter of a processor at 10,000 parts a second. */
  readonly processor_us_per_part: number;
}

const workerStatements: readonly QueryName[] = [
  ...rollupStatements,
  'roll_up_empty_traces',
  'list_parts',
  'find_traces_to_roll_up',
  'find_unrolled_traces',
];

const pollMs = 250;

/** Sends complete calls at this rate, and waits until their traces have been rolled up. */
export async function measureRollups(
  bench: IngestBench,
  seconds: number,
  partsPerSecond: number,
): Promise<RollupLag> {
  const lag = pollLag(bench.service.url);
  await waitUntilRolledUp(bench);
  const from = Date.now();
  const intervalMs = (1_000 * defaultClients * defaultBatchSize) / partsPerSecond;
  const { parts, seconds: sent } = await bench.send({ kind: 'whole', seconds, intervalMs });
  const sentAt = Date.now();
  await waitUntilRolledUp(bench);
  const to = Date.now();
  const lagS = await lag.stop();
  return {
    parts_per_s: Math.round(parts / sent),
    lag_s_max: round(lagS, 1),
    caught_up_after_s: round((to - sentAt) / 1_000, 1),
    processor_us_per_part: round((await readWorkerTime(bench, { from, to })) / parts, 1),
  };
}

async function waitUntilRolledUp({ client }: IngestBench): Promise<void> {
  while ((await countUnrolled(client)) > 0) await sleep(pollMs);
}

/** Reads the metric again and again; `stop` returns its maximum, in seconds. */
function pollLag(serviceUrl: string) {
  const stopping = new AbortController();
  const poll = async (): Promise<number> => {
    let maximum = 0;
    while (!stopping.signal.aborted) {
      const response = await fetch(`${serviceUrl}/metrics`, { headers: { authorization } });
      const [lag] = /(?<=^calls_usage_rollup_lag_seconds )\S+/m.exec(await response.text()) ?? [];
      maximum = Math.max(maximum, Number(lag));
      await sleep(pollMs);
    }
    return maximum;
  };
  const polling = poll();
  return {
    stop: async (): Promise<number> => {
      stopping.abort();
      return await polling;
    },
  };
}

/** ClickHouse's processor time for the worker's statements, in microseconds. */
async function readWorkerTime({ client }: IngestBench, { from, to }: Period): Promise<number> {
  await waitForQueryLog(client);
  const [row] = await readRows<{ us: string }>(
    client,
    `SELECT sum(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']) AS us
     FROM system.query_log
     WHERE type = 'QueryFinish' AND is_initial_query AND log_comment IN {names:Array(String)}
       AND toUnixTimestamp64Milli(query_start_time_microseconds) BETWEEN {from:Int64} AND {to:Int64}`,
    { from, to, names: workerStatements },
  );
  return Number(row?.us);
}
