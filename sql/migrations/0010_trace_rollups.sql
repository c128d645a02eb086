-- Totals of settled traces (docs/decisions/0019-trace-rollups.md).

-- The sum of the checksums of a trace's rows, in the same part as the rows: what a query reads here is exactly what it
-- would read there. Merges do not change the sum, and build the projection again.
ALTER TABLE merged_calls MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';

ALTER TABLE merged_calls ADD PROJECTION IF NOT EXISTS trace_checksums
(
    SELECT project_id, trace_id, sum(checksum), count() GROUP BY project_id, trace_id
);

-- In the background; until then ClickHouse sums the rows of the older parts.
ALTER TABLE merged_calls MATERIALIZE PROJECTION trace_checksums;

-- One row a trace: what its top calls used, descendants included. A top call is present, and its parent is not. The row is
-- valid as long as `checksum` is the sum of those of the trace's rows in `merged_calls`, so it is never wrong: every part
-- that is stored later changes that sum.
CREATE TABLE IF NOT EXISTS trace_rollups
(
    project_id String,
    trace_id String,
    -- Of the statements that have made the row: services with other counting rules do not use it.
    rules_version UInt64,
    checksum UInt128,
    rolled_up_at DateTime64(3, 'UTC') DEFAULT now64(3),
    -- Calls of one group have the same top call, model, op name, user, thread, service tier, quarter of an hour and class of
    -- prompt sizes. A call of several models is in several groups, and counts in the first.
    `groups.top` Array(UInt128),
    `groups.model` Array(String),
    `groups.op_name` Array(String),
    `groups.wb_user_id` Array(String),
    `groups.thread_id` Array(String),
    `groups.service_tier` Array(String),
    `groups.min_started_us` Array(Int64),
    `groups.max_started_us` Array(Int64),
    `groups.min_prompt_size` Array(Int64),
    `groups.max_prompt_size` Array(Int64),
    `groups.calls` Array(UInt64),
    `groups.errors` Array(UInt64),
    -- Those of `counts` in sql/queries/fragments/counting_rules.sql; empty without usage.
    `groups.counters` Array(Array(UInt128)),
    `groups.unfinished_call_ids` Array(Array(String)),
    `groups.deleted_open_call_ids` Array(Array(String))
)
ENGINE = ReplacingMergeTree(rolled_up_at)
ORDER BY (project_id, trace_id, rules_version, checksum)
SETTINGS index_granularity = 64, min_compress_block_size = 1024;
