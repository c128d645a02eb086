import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import { readRows } from '../support/bench-client.ts';
import { round } from '../support/statistics.ts';

/** How the worker of the service rolled up the whole project. */
export interface CatchUp {
  readonly traces: number;
  readonly calls: number;
  readonly bytes: number;
  /** From no rollups to the last one. */
  readonly seconds: number;
  readonly callsPerSecond: number;
}

const pollMs = 250;

/** It is a matter of seconds per million calls. */
const maxSeconds = 1_800;

/** Removes all rollups, and waits until every trace is rolled up again. */
export async function measureCatchUp(client: ClickHouseClient): Promise<CatchUp> {
  await client.command({ query: 'TRUNCATE TABLE trace_rollups' });
  // Merges the parts, so that the worker searches them.
  await client.command({ query: 'OPTIMIZE TABLE merged_calls FINAL' });
  const from = performance.now();
  while ((await countUnrolled(client)) > 0) {
    if (performance.now() - from > maxSeconds * 1_000) throw new Error('rollups do not catch up');
    await sleep(pollMs);
  }
  const seconds = (performance.now() - from) / 1_000;
  const [row] = await readRows<Record<'traces' | 'calls' | 'bytes', string>>(
    client,
    `SELECT count() AS traces, sum(arraySum(\`groups.calls\`)) AS calls,
       (SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'trace_rollups') AS bytes
     FROM trace_rollups FINAL`,
  );
  const calls = Number(row?.calls);
  return {
    traces: Number(row?.traces),
    calls,
    bytes: Number(row?.bytes),
    seconds: round(seconds, 1),
    callsPerSecond: Math.round(calls / seconds),
  };
}

/** Traces of all projects without a valid rollup. */
export async function countUnrolled(client: ClickHouseClient): Promise<number> {
  const [row] = await readRows<{ traces: string }>(
    client,
    `SELECT count() AS traces
     FROM (SELECT project_id, trace_id, sum(checksum) AS sum FROM merged_calls GROUP BY project_id, trace_id)
     WHERE (project_id, trace_id, sum) NOT IN (SELECT project_id, trace_id, checksum FROM trace_rollups)`,
  );
  return Number(row?.traces);
}
