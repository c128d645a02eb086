import type { ClickHouseSettings } from '@clickhouse/client';

import type { Settings } from '../../settings/settings.ts';
import type { ClientLimits } from './open-client.ts';

/** Limits of the requests of one connection. */
export interface Limits extends ClientLimits {
  /** Maximum duration of a ping and of a cancellation. */
  readonly pingTimeoutMs: number;
  /** Maximum duration of one query in ClickHouse. */
  readonly queryTimeoutMs: number;
  /** Maximum memory of one query or insert in ClickHouse. */
  readonly queryMemoryMb: number;
  readonly maxResultRows: number;
  readonly maxResultMb: number;
}

export type LimitSettings = Pick<
  Settings,
  | 'clickhouseMaxOpenConnections'
  | 'clickhouseTimeoutMs'
  | 'clickhousePingTimeoutMs'
  | 'clickhouseCompression'
  | 'queryTimeoutMs'
  | 'queryMemoryMb'
  | 'queryResultRows'
  | 'queryResultMb'
>;

export function toLimits(settings: LimitSettings): Limits {
  return {
    maxOpenConnections: settings.clickhouseMaxOpenConnections,
    timeoutMs: settings.clickhouseTimeoutMs,
    pingTimeoutMs: settings.clickhousePingTimeoutMs,
    compression: settings.clickhouseCompression,
    queryTimeoutMs: settings.queryTimeoutMs,
    queryMemoryMb: settings.queryMemoryMb,
    maxResultRows: settings.queryResultRows,
    maxResultMb: settings.queryResultMb,
  };
}

/** ClickHouse keeps this much of a result in memory until the query has succeeded, and the rest on disk. */
const resultBufferBytes = 16 * 1024 * 1024;

const mebibyte = 1024 * 1024;

/**
 * ClickHouse settings of a SELECT.
 * @param maxReadRows how many rows it may read; undefined for any number
 */
export function toReadSettings(limits: Limits, maxReadRows?: number): ClickHouseSettings {
  return {
    // 2, not 1, so that a statement may have SETTINGS of its own. ClickHouse cancels a query whose client
    // has disconnected only if the query is read-only.
    readonly: '2',
    cancel_http_readonly_queries_on_client_close: 1,
    // The response starts when the query has succeeded, so that no error can follow a status of 200.
    wait_end_of_query: 1,
    http_response_buffer_size: String(resultBufferBytes),
    max_execution_time: limits.queryTimeoutMs / 1000,
    timeout_overflow_mode: 'throw',
    max_memory_usage: String(limits.queryMemoryMb * mebibyte),
    max_result_rows: String(limits.maxResultRows),
    max_result_bytes: String(limits.maxResultMb * mebibyte),
    result_overflow_mode: 'throw',
    ...(maxReadRows === undefined ? {} : { max_rows_to_read: String(maxReadRows) }),
    output_format_json_quote_64bit_integers: 1,
    output_format_json_quote_decimals: 1,
  };
}

/** ClickHouse settings of an INSERT. */
export function toInsertSettings(limits: Limits): ClickHouseSettings {
  return {
    async_insert: 0,
    wait_end_of_query: 1,
    distributed_foreground_insert: 1,
    // A shard on its own does not see the other tables that an INSERT … SELECT reads.
    parallel_distributed_insert_select: '0',
    max_execution_time: limits.timeoutMs / 1000,
    timeout_overflow_mode: 'throw',
    max_memory_usage: String(limits.queryMemoryMb * mebibyte),
    // One insert is one block: parallel parsing and a maximum block size would split it.
    input_format_parallel_parsing: 0,
    max_insert_block_size: '100000000',
    min_insert_block_size_rows: '100000000',
    min_insert_block_size_bytes: '10000000000',
    input_format_skip_unknown_fields: 0,
    // The service extracts `usage_fields` itself.
    insert_allow_materialized_columns: 1,
    materialized_views_ignore_errors: 0,
    // A replicated table skips a block that it already has, and then does not feed its materialized views
    // either: a retry after a partial insert would never reach them. Repeated rows are merged anyway.
    insert_deduplicate: 0,
  };
}
