-- Calls, stored as the parts in which they arrive and joined by ClickHouse.
--
-- `call_parts` is a public contract (docs/call-parts.md): whoever inserts into it, this service or a pipeline
-- of one's own, gets the same answers, because everything below is filled by materialized views at insert.
--
-- No state here depends on the order of arrival or on repeats: every aggregate is a `max`, which is
-- commutative, associative and idempotent.
--
-- To shard by trace later: `call_parts` and `calls` by (project_id, trace_id),
-- `call_traces` and `loose_ends` by (project_id, key). No column has to change for that.

CREATE TABLE IF NOT EXISTS call_parts
(
    project_id String,
    id String,
    kind Enum8('start' = 1, 'end' = 2, 'whole' = 3, 'deletion' = 4),
    trace_id String DEFAULT '',
    parent_id String DEFAULT '',
    started_at Nullable(DateTime64(6, 'UTC')),
    ended_at Nullable(DateTime64(6, 'UTC')),
    op_name String DEFAULT '',
    display_name String DEFAULT '',
    attributes_dump String DEFAULT '{}' CODEC(ZSTD(1)),
    inputs_dump String DEFAULT '{}' CODEC(ZSTD(1)),
    output_dump String DEFAULT 'null' CODEC(ZSTD(1)),
    summary_dump String DEFAULT '{}' CODEC(ZSTD(1)),
    exception String DEFAULT '' CODEC(ZSTD(1)),
    thread_id String DEFAULT '',
    turn_id String DEFAULT '',
    otel_dump String DEFAULT '' CODEC(ZSTD(1)),
    wb_user_id String DEFAULT '',
    wb_run_id String DEFAULT '',
    wb_run_step Nullable(Int64),
    wb_run_step_end Nullable(Int64),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    -- What the call spent, per model, out of its summary's JSON. A counter is a JSON integer from 0 to 2^53 - 1,
    -- which every JSON reader holds exactly; whatever else stands there is 0.
    -- `prompt_tokens_details.cached_tokens` counts where `cache_read_input_tokens` is absent. Entries that are no
    -- objects, and entries of zeros, are left out.
    usage Array(Tuple(
        model String, requests UInt64, prompt UInt64, completion UInt64, total UInt64,
        cache_read UInt64, cache_creation UInt64)) MATERIALIZED
        arraySort(arrayFilter(
            entry -> entry.requests + entry.prompt + entry.completion + entry.total
                + entry.cache_read + entry.cache_creation > 0,
            arrayMap(
                entry -> CAST(
                    (
                        entry.1,
                        entry.2[1],
                        entry.2[2] + entry.2[3],
                        entry.2[4] + entry.2[5],
                        if(entry.2[6] = 0, entry.2[2] + entry.2[3] + entry.2[4] + entry.2[5], entry.2[6]),
                        entry.2[7],
                        entry.2[8]
                    ),
                    'Tuple(model String, requests UInt64, prompt UInt64, completion UInt64, total UInt64,
                        cache_read UInt64, cache_creation UInt64)'),
                arrayMap(
                    entry -> (
                        entry.1,
                        arrayMap(
                            text -> if(toUInt64OrZero(text) < 9007199254740992, toUInt64OrZero(text), 0),
                            [
                                entry.2['requests'],
                                entry.2['prompt_tokens'],
                                entry.2['input_tokens'],
                                entry.2['completion_tokens'],
                                entry.2['output_tokens'],
                                entry.2['total_tokens'],
                                if(entry.2['cache_read_input_tokens'] IN ('', 'null'),
                                    entry.3, entry.2['cache_read_input_tokens']),
                                entry.2['cache_creation_input_tokens']
                            ])
                    ),
                    arrayMap(
                        entry -> (
                            entry.1,
                            CAST(JSONExtractKeysAndValuesRaw(entry.2), 'Map(String, String)'),
                            JSONExtractRaw(entry.2, 'prompt_tokens_details', 'cached_tokens')
                        ),
                        -- ClickHouse writes 1e20 as digits, which its reader then refuses as an integer. Digits behind
                        -- a point, or in a string, are no integer.
                        arrayMap(
                            entry -> (entry.1, replaceRegexpAll(entry.2, '[:,[]-?[0-9]{19,}', '\\0.0')),
                            arrayFilter(
                                entry -> startsWith(entry.2, '{'),
                                JSONExtractKeysAndValuesRaw(summary_dump, 'usage')))))))),
    -- Whether the SDK that sent the call adds its children's usage to the call's own before it sends it.
    is_rolled_up UInt8 MATERIALIZED multiIf(
        kind NOT IN ('start', 'whole'), 0,
        JSONExtractString(attributes_dump, 'weave', 'usage_rollup') = 'rolled_up', 1,
        JSONExtractString(attributes_dump, 'weave', 'usage_rollup') = 'own', 0,
        JSONExtractString(attributes_dump, 'weave', 'source') IN ('js-sdk', 'python-sdk')),
    -- What tells a repeated part from another one: a retried part takes the place of the first.
    part_hash UInt128 MATERIALIZED reinterpretAsUInt128(sipHash128(
        parent_id, op_name, display_name, attributes_dump, inputs_dump, output_dump, summary_dump, exception,
        thread_id, turn_id, otel_dump, wb_user_id, wb_run_id,
        toString((started_at, ended_at, wb_run_step, wb_run_step_end)))),
    CONSTRAINT project_id_is_given CHECK project_id != '',
    CONSTRAINT id_is_given CHECK id != '',
    CONSTRAINT only_an_end_may_lack_its_trace_id CHECK trace_id != '' OR kind = 'end',
    CONSTRAINT a_start_has_its_time CHECK started_at IS NOT NULL OR kind IN ('end', 'deletion'),
    CONSTRAINT an_end_has_its_time CHECK ended_at IS NOT NULL OR kind IN ('start', 'deletion'),
    CONSTRAINT attributes_dump_is_json CHECK isValidJSON(attributes_dump),
    CONSTRAINT summary_dump_is_json CHECK isValidJSON(summary_dump)
)
ENGINE = ReplacingMergeTree
ORDER BY (project_id, trace_id, id, kind, part_hash);

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
    has_start SimpleAggregateFunction(max, UInt8),
    is_deleted SimpleAggregateFunction(max, UInt8),
    is_rolled_up SimpleAggregateFunction(max, UInt8),
    started_at SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    usage SimpleAggregateFunction(max, Array(Tuple(
        model String, requests UInt64, prompt UInt64, completion UInt64, total UInt64,
        cache_read UInt64, cache_creation UInt64)))
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id, key)
SETTINGS index_granularity = 1024;

-- The trace of a call, for questions and deletions that name only the call.
CREATE TABLE IF NOT EXISTS call_traces
(
    project_id String,
    key UInt128,
    trace_id SimpleAggregateFunction(max, String)
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, key)
SETTINGS index_granularity = 256;

-- Ends that came without a trace id before their start was known.
CREATE TABLE IF NOT EXISTS loose_ends
(
    project_id String,
    key UInt128,
    usage SimpleAggregateFunction(max, Array(Tuple(
        model String, requests UInt64, prompt UInt64, completion UInt64, total UInt64,
        cache_read UInt64, cache_creation UInt64)))
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, key)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS calls_from_parts TO calls AS
WITH toDateTime64('1900-01-01 00:00:00', 6, 'UTC') AS epoch
SELECT
    project_id,
    trace_id,
    reinterpretAsUInt128(sipHash128(trace_id, id)) AS key,
    if(has_start AND parent_id != '', reinterpretAsUInt128(sipHash128(trace_id, parent_id)), 0) AS parent,
    multiIf(kind IN ('end', 'whole'), '\xFF', kind = 'start', id, '') AS open_id,
    kind IN ('start', 'whole') AS has_start,
    kind = 'deletion' AS is_deleted,
    is_rolled_up,
    if(has_start, ifNull(call_parts.started_at, epoch), epoch) AS started_at,
    if(kind IN ('end', 'whole'), call_parts.usage, []) AS usage
FROM call_parts
WHERE trace_id != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS call_traces_from_parts TO call_traces AS
SELECT project_id, reinterpretAsUInt128(sipHash128(id)) AS key, trace_id
FROM call_parts
WHERE kind IN ('start', 'whole');

CREATE MATERIALIZED VIEW IF NOT EXISTS loose_ends_from_parts TO loose_ends AS
SELECT project_id, reinterpretAsUInt128(sipHash128(id)) AS key, usage
FROM call_parts
WHERE trace_id = '';
