-- `calls` and `call_traces` once more, so that a page of traces is read in half the time: what stands beside a trace
-- of a hundred calls in the same granule, and in the same compressed block, is read and thrown away with it
-- (docs/decisions/0008-small-granules.md). They are derived from `call_parts`, from which they are filled again; no
-- other service may insert meanwhile.
--
-- Ends without a trace id have no table of their own any more: they stay in `call_parts` under the trace '', and
-- attach_loose_ends.sql stores them again under their call's trace when a question meets a call that has no end.

-- Whatever `usage_rollup` says is heeded, and only where it says nothing does the source decide; until now the source
-- also decided where it said something unknown.
ALTER TABLE call_parts MODIFY COLUMN is_rolled_up UInt8 MATERIALIZED multiIf(
    kind NOT IN ('start', 'whole'), 0,
    JSONExtractString(attributes_dump, 'weave', 'usage_rollup') != '',
        JSONExtractString(attributes_dump, 'weave', 'usage_rollup') = 'rolled_up',
    JSONExtractString(attributes_dump, 'weave', 'source') IN ('js-sdk', 'python-sdk'));

DROP VIEW IF EXISTS calls_from_parts SYNC;
DROP VIEW IF EXISTS call_traces_from_parts SYNC;
DROP VIEW IF EXISTS loose_ends_from_parts SYNC;
DROP TABLE IF EXISTS calls SYNC SETTINGS max_table_size_to_drop = 0;
DROP TABLE IF EXISTS call_traces SYNC SETTINGS max_table_size_to_drop = 0;
DROP TABLE IF EXISTS loose_ends SYNC SETTINGS max_table_size_to_drop = 0;

-- One row a call and trace. `key` and `parent` are hashes of the ids: 128 bits, since the hash is unkeyed and
-- 64-bit collisions can be made; comparing them takes about half of what comparing the ids does.
CREATE TABLE IF NOT EXISTS calls
(
    project_id String,
    trace_id String,
    key UInt128,
    parent SimpleAggregateFunction(max, UInt128),
    -- The id while the call has no end, to name the unfinished; x'FF', greater than any id, once it has one:
    -- so reading it costs next to nothing.
    open_id SimpleAggregateFunction(max, String),
    -- Whether the id is greater than the parent's, as ids are that grow with time: of two calls that started in the
    -- same microsecond it says that they are not each other's parents in a circle.
    is_after_parent SimpleAggregateFunction(min, UInt8),
    is_deleted SimpleAggregateFunction(max, UInt8),
    is_rolled_up SimpleAggregateFunction(max, UInt8),
    -- Microseconds since 1970.
    started_us SimpleAggregateFunction(max, Int64),
    -- Per model: requests, prompt, completion, total, cache_read, cache_creation, and the uncached part of the prompt.
    usage SimpleAggregateFunction(max, Array(Tuple(model String, counters Array(UInt64))))
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id, key)
SETTINGS index_granularity = 256, min_compress_block_size = 1024;

-- The trace of a call, for questions and deletions that name only the call, and what decides how its trace is read.
CREATE TABLE IF NOT EXISTS call_traces
(
    project_id String,
    key UInt128,
    trace_id SimpleAggregateFunction(max, String),
    is_root SimpleAggregateFunction(min, UInt8),
    is_rolled_up SimpleAggregateFunction(max, UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, key)
SETTINGS index_granularity = 64, min_compress_block_size = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS calls_from_parts TO calls AS
WITH
    kind IN ('start', 'whole') AS has_start,
    kind IN ('end', 'whole') AS has_end,
    toDateTime64('1900-01-01 00:00:00', 6, 'UTC') AS epoch
SELECT
    project_id,
    trace_id,
    reinterpretAsUInt128(sipHash128(trace_id, id)) AS key,
    if(has_start AND parent_id != '', reinterpretAsUInt128(sipHash128(trace_id, parent_id)), 0) AS parent,
    multiIf(has_end, '\xFF', has_start, id, '') AS open_id,
    NOT has_start OR parent_id < id AS is_after_parent,
    kind = 'deletion' AS is_deleted,
    is_rolled_up,
    toUnixTimestamp64Micro(if(has_start, ifNull(started_at, epoch), epoch)) AS started_us,
    arrayMap(
        used -> (
            used.model,
            [
                used.requests,
                used.prompt,
                used.completion,
                used.total,
                used.cache_read,
                used.cache_creation,
                if(used.prompt < used.cache_read + used.cache_creation,
                    used.prompt, toUInt64(used.prompt - used.cache_read - used.cache_creation))
            ]
        ),
        if(has_end, call_parts.usage, [])) AS usage
FROM call_parts
WHERE trace_id != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS call_traces_from_parts TO call_traces AS
SELECT project_id, reinterpretAsUInt128(sipHash128(id)) AS key, trace_id, parent_id = '' AS is_root, is_rolled_up
FROM call_parts
WHERE kind IN ('start', 'whole');

INSERT INTO calls
    (project_id, trace_id, key, parent, open_id, is_after_parent, is_deleted, is_rolled_up, started_us, usage)
WITH
    kind IN ('start', 'whole') AS has_start,
    kind IN ('end', 'whole') AS has_end,
    toDateTime64('1900-01-01 00:00:00', 6, 'UTC') AS epoch
SELECT
    project_id,
    trace_id,
    reinterpretAsUInt128(sipHash128(trace_id, id)) AS key,
    if(has_start AND parent_id != '', reinterpretAsUInt128(sipHash128(trace_id, parent_id)), 0) AS parent,
    multiIf(has_end, '\xFF', has_start, id, '') AS open_id,
    NOT has_start OR parent_id < id AS is_after_parent,
    kind = 'deletion' AS is_deleted,
    is_rolled_up,
    toUnixTimestamp64Micro(if(has_start, ifNull(started_at, epoch), epoch)) AS started_us,
    arrayMap(
        used -> (
            used.model,
            [
                used.requests,
                used.prompt,
                used.completion,
                used.total,
                used.cache_read,
                used.cache_creation,
                if(used.prompt < used.cache_read + used.cache_creation,
                    used.prompt, toUInt64(used.prompt - used.cache_read - used.cache_creation))
            ]
        ),
        if(has_end, call_parts.usage, [])) AS usage
FROM call_parts
WHERE trace_id != '';

INSERT INTO call_traces (project_id, key, trace_id, is_root, is_rolled_up)
SELECT project_id, reinterpretAsUInt128(sipHash128(id)) AS key, trace_id, parent_id = '' AS is_root, is_rolled_up
FROM call_parts
WHERE kind IN ('start', 'whole');
