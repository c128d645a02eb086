import type { ClickHouseClient } from '@clickhouse/client';

/** From when to when something was asked, in milliseconds since 1970. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** What ClickHouse's log says of one question, all its statements together. */
export interface QueryCost {
  /** Rows that were read, those that a recursion hands from step to step among them. */
  readonly rowsRead: number;
  /** Rows that were read from tables. */
  readonly tableRowsRead: number;
  readonly peakMb: number;
}

/** ClickHouse writes its log once a second; what it has not written by now it never will. */
const logDelayMs = 2_500;

/** Waits until ClickHouse has written down what it has done so far. */
export async function waitForLog(client: ClickHouseClient): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, logDelayMs));
  await client.command({ query: 'SYSTEM FLUSH LOGS' });
}

/** Reads what the floor, or whatever the service asked, cost within a window; null where nothing is known. */
export async function readCost(
  client: ClickHouseClient,
  way: 'floor' | 'ours',
  window: Window | undefined,
): Promise<QueryCost | null> {
  if (window === undefined) return null;
  const result = await client.query({
    query: `
      SELECT
        count() AS statements, sum(read_rows) AS rows, max(memory_usage) AS peak,
        sum(ProfileEvents['RowsReadByMainReader'] + ProfileEvents['RowsReadByPrewhereReaders']) AS table_rows
      FROM system.query_log
      WHERE type != 'QueryStart' AND is_initial_query
        AND toUnixTimestamp64Milli(query_start_time_microseconds) BETWEEN {from:Int64} AND {to:Int64}
        AND if({way:String} = 'floor', log_comment = 'bench_floor', startsWith(log_comment, 'usage_'))`,
    query_params: { way, from: window.from, to: window.to },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<Record<'statements' | 'rows' | 'peak' | 'table_rows', string>>();
  if (row === undefined || Number(row.statements) === 0) return null;
  return {
    rowsRead: Number(row.rows),
    tableRowsRead: Number(row.table_rows),
    peakMb: Math.round(Number(row.peak) / 104_857.6) / 10,
  };
}
