import type { ClickHouseSettings } from '@clickhouse/client';

import type { Limits } from './connection.ts';

/** What ClickHouse holds back of an answer in memory until it knows that the query succeeds; then on disk. */
const answerBufferBytes = 16 * 1024 * 1024;

const mebibyte = 1024 * 1024;

/** What a question is asked with. */
export function toReadSettings(limits: Limits): ClickHouseSettings {
  return {
    // 2, not 1, so that a statement may have SETTINGS of its own. ClickHouse cancels a query whose client
    // is gone only where it is read-only.
    readonly: '2',
    cancel_http_readonly_queries_on_client_close: 1,
    // The answer begins only when the query has succeeded: no error can follow a 200.
    wait_end_of_query: 1,
    http_response_buffer_size: String(answerBufferBytes),
    max_execution_time: limits.queryTimeoutMs / 1000,
    timeout_overflow_mode: 'throw',
    max_memory_usage: String(limits.queryMemoryMb * mebibyte),
    max_result_rows: String(limits.resultRows),
    max_result_bytes: String(limits.resultMb * mebibyte),
    result_overflow_mode: 'throw',
    output_format_json_quote_64bit_integers: 1,
    output_format_json_quote_decimals: 1,
  };
}

/** What rows are inserted with. */
export function toInsertSettings(limits: Limits): ClickHouseSettings {
  return {
    async_insert: 0,
    wait_end_of_query: 1,
    distributed_foreground_insert: 1,
    // A shard by itself does not see the tables that a statement reads.
    parallel_distributed_insert_select: '0',
    max_execution_time: limits.timeoutMs / 1000,
    timeout_overflow_mode: 'throw',
    max_memory_usage: String(limits.queryMemoryMb * mebibyte),
    // One insert, one block: no parallel parsing, which would cut it, and no largest block.
    input_format_parallel_parsing: 0,
    max_insert_block_size: '100000000',
    min_insert_block_size_rows: '100000000',
    min_insert_block_size_bytes: '10000000000',
    input_format_skip_unknown_fields: 0,
    materialized_views_ignore_errors: 0,
    // A replicated table drops a block that it has had before and then does not feed its materialized
    // views: a retry after a half-done insert would never reach them. Repeated rows do no harm here.
    insert_deduplicate: 0,
  };
}
