import { setTimeout as sleep } from 'node:timers/promises';

import type { ClickHouseClient } from '@clickhouse/client';

import { readRows } from '../support/bench-client.ts';
import { liveUser } from '../support/processes.ts';
import { round } from '../support/statistics.ts';

/** A period of time, in milliseconds since 1970. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** What system.query_log says of one usage request, all its statements together. */
export interface QueryStatistics {
  /** Rows read, including those that a recursion passes from one step to the next. */
  readonly rowsRead: number;
  /** Rows read from tables. */
  readonly tableRowsRead: number;
  readonly peakMb: number;
}

/** ClickHouse writes entries to the log with a delay of at most a second. */
const logDelayMs = 2_500;

/** Waits until all queries so far are in system.query_log. */
export async function waitForQueryLog(client: ClickHouseClient): Promise<void> {
  await sleep(logDelayMs);
  await client.command({ query: 'SYSTEM FLUSH LOGS' });
}

/**
 * Reads the statistics of the flat sum, or of the service's usage statements: their names start with `usage_`.
 * @returns null if the period is undefined or contains no such query
 */
export async function readStatistics(
  client: ClickHouseClient,
  strategy: 'floor' | 'ours',
  period: Period | undefined,
): Promise<QueryStatistics | null> {
  if (period === undefined) return null;
  const [row] = await readRows<Record<'statements' | 'rows' | 'peak' | 'table_rows', string>>(
    client,
    `SELECT
       count() AS statements, sum(read_rows) AS rows, max(memory_usage) AS peak,
       sum(ProfileEvents['RowsReadByMainReader'] + ProfileEvents['RowsReadByPrewhereReaders']) AS table_rows
     FROM system.query_log
     WHERE type != 'QueryStart' AND is_initial_query
       AND toUnixTimestamp64Milli(query_start_time_microseconds) BETWEEN {from:Int64} AND {to:Int64}
       AND startsWith(log_comment, {prefix:String})`,
    { prefix: strategy === 'floor' ? 'bench_floor' : 'usage_', ...period },
  );
  if (row === undefined || Number(row.statements) === 0) return null;
  return {
    rowsRead: Number(row.rows),
    tableRowsRead: Number(row.table_rows),
    peakMb: round(Number(row.peak) / 1_048_576, 1),
  };
}

/** Processor times of ClickHouse in milliseconds; null if nothing ran. */
export interface ProcessorTimes {
  readonly floor: number | null;
  readonly ours: number | null;
  readonly live: number | null;
}

/**
 * The processor time of a flat sum and of a usage request, all its statements together: of each statement the median of
 * all runs in the period, times how often a request runs it. Unlike clock times these hold on a noisy machine.
 */
export async function readProcessorTimes(
  client: ClickHouseClient,
  { from, to }: Period,
): Promise<ProcessorTimes> {
  const rows = await readRows<StatementTimes>(
    client,
    `SELECT
       user = '${liveUser}' AS is_live, log_comment AS name, count() AS runs,
       quantile(0.5)(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']) / 1000 AS ms
     FROM system.query_log
     WHERE type = 'QueryFinish' AND is_initial_query
       AND toUnixTimestamp64Milli(query_start_time_microseconds) BETWEEN {from:Int64} AND {to:Int64}
       AND match(log_comment, '^(bench_floor|locate_calls|root_rollups|trace_checksums|has_orphan_ends|find_orphan_ends|count_orphan_ends|price_version|usage_.*)$')
     GROUP BY is_live, name`,
    { from, to },
  );
  const floor = rows.find(({ name }) => name === 'bench_floor');
  const ofService = rows.filter(({ name }) => name !== 'bench_floor');
  return {
    floor: floor === undefined ? null : round(Number(floor.ms), 1),
    ours: toRequestMs(ofService.filter(({ is_live }) => is_live === 0)),
    live: toRequestMs(ofService.filter(({ is_live }) => is_live === 1)),
  };
}

interface StatementTimes {
  /** Whether the service without rollups ran it. */
  readonly is_live: 0 | 1;
  readonly name: string;
  readonly runs: string;
  /** Median. */
  readonly ms: string;
}

/** A request begins with the statement that runs once for each: of calls that rollups may answer, or of all. */
function toRequestMs(rows: readonly StatementTimes[]): number | null {
  const first =
    rows.find(({ name }) => name === 'root_rollups') ??
    rows.find(({ name }) => name === 'locate_calls');
  const requests = Number(first?.runs ?? 0);
  if (requests === 0) return null;
  const sum = rows.reduce(
    (total, { runs, ms }) => total + (Number(ms) * Number(runs)) / requests,
    0,
  );
  return round(sum, 1);
}
