ALTER TABLE call_parts
    ADD COLUMN IF NOT EXISTS usage_fields Array(Tuple(
        model String, counters Array(UInt64), service_tier String, facts UInt8)) MATERIALIZED
        arrayCompact(entry -> entry.1, arraySort(arrayFilter(entry -> notEmpty(entry.2), arrayMap(
            entry -> (
                entry.1,
                -- Without trailing zeros.
                arraySlice(
                    arrayPushBack(entry.2, if(entry.3, 0, entry.2[1])),
                    1,
                    arrayLastIndex(counter -> counter > 0, arrayPushBack(entry.2, if(entry.3, 0, entry.2[1])))),
                entry.4,
                entry.5
            ),
            arrayMap(
                entry -> (
                    entry.1,
                    arrayMap(
                        text -> if(toUInt64OrZero(concat('0', text)) < 9007199254740992,
                            toUInt64OrZero(concat('0', text)), 0),
                        entry.2),
                    -- Whether any counter of tokens can be read; an aborted stream has none.
                    arrayExists(
                        text -> match(text, '^[0-9]+$') AND toUInt64OrZero(text) < 9007199254740992,
                        arrayPopFront(entry.2)),
                    lower(if(length(entry.3) <= 32, entry.3, '')),
                    entry.4
                ),
                arrayMap(
                    (model, entry) -> (
                        model,
                        [
                            entry.1, entry.2, entry.3, entry.4, entry.5, entry.6, entry.7, entry.8,
                            entry.15.1, entry.16.1, entry.17.1, entry.18.1, entry.9, entry.10,
                            if(entry.14 = '', '',
                                JSONExtract(entry.14, 'Map(String, String)')['ephemeral_1h_input_tokens']),
                            if(entry.14 = '', '', toString(toUInt64(least(9007199254740991., arraySum(
                                text -> toFloat64(if(toUInt64OrZero(concat('0', text)) < 9007199254740992,
                                    toUInt64OrZero(concat('0', text)), 0)),
                                mapValues(JSONExtract(entry.14, 'Map(String, String)'))))))),
                            entry.15.2, entry.16.2, entry.15.3, entry.16.3, entry.17.2, entry.18.2,
                            if(entry.15.4.1 = '', entry.16.4.1, entry.15.4.1), entry.11, entry.12
                        ],
                        if(entry.13 = '', output_service_tier, entry.13),
                        toUInt8((entry.14 != '') + 2 * (entry.13 != '') + 4 * (entry.9 != ''))
                    ),
                    mapKeys(JSONExtract(summary_dump, 'usage', 'Map(String, Tuple(
                        requests String, prompt_tokens String, completion_tokens String, total_tokens String,
                        input_tokens String, output_tokens String, cache_read_input_tokens String,
                        cache_creation_input_tokens String, thoughts_tokens String, gross_input_tokens String,
                        cached_tokens String, prompt_cache_hit_tokens String, service_tier String,
                        cache_creation String,
                        prompt_tokens_details Tuple(cached_tokens String, cache_write_tokens String,
                            audio_tokens String, cached_tokens_details Tuple(audio_tokens String)),
                        input_tokens_details Tuple(cached_tokens String, cache_write_tokens String,
                            audio_tokens String, cached_tokens_details Tuple(audio_tokens String)),
                        completion_tokens_details Tuple(reasoning_tokens String, audio_tokens String),
                        output_tokens_details Tuple(reasoning_tokens String, audio_tokens String)))')),
                    mapValues(JSONExtract(summary_dump, 'usage', 'Map(String, Tuple(
                        requests String, prompt_tokens String, completion_tokens String, total_tokens String,
                        input_tokens String, output_tokens String, cache_read_input_tokens String,
                        cache_creation_input_tokens String, thoughts_tokens String, gross_input_tokens String,
                        cached_tokens String, prompt_cache_hit_tokens String, service_tier String,
                        cache_creation String,
                        prompt_tokens_details Tuple(cached_tokens String, cache_write_tokens String,
                            audio_tokens String, cached_tokens_details Tuple(audio_tokens String)),
                        input_tokens_details Tuple(cached_tokens String, cache_write_tokens String,
                            audio_tokens String, cached_tokens_details Tuple(audio_tokens String)),
                        completion_tokens_details Tuple(reasoning_tokens String, audio_tokens String),
                        output_tokens_details Tuple(reasoning_tokens String, audio_tokens String)))')))))))),
    -- How the call's usage relates to that of its children: 0 own, 1 rolled up, 2 spans of OpenTelemetry.
    ADD COLUMN IF NOT EXISTS usage_mode UInt8 DEFAULT multiIf(
        kind NOT IN ('start', 'whole'), 0,
        JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').1 = 'rolled_up', 1,
        JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').1 = 'own', 0,
        JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').1 = 'otel', 2,
        JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').2 IN ('js-sdk', 'python-sdk'), 1,
        0) AFTER attributes_dump,
    -- Of a span of OpenTelemetry: 1 inference, 2 tool, 3 agent; 0 other.
    ADD COLUMN IF NOT EXISTS span_kind UInt8 DEFAULT 0 AFTER usage_mode,
    -- A hash of the instrumentation scope of a span of OpenTelemetry; 0 none.
    ADD COLUMN IF NOT EXISTS scope UInt64 DEFAULT 0 AFTER span_kind,
    -- The SDK that sent the start: 1 js-sdk or 2 python-sdk, times 10^15, + major * 10^10 + minor * 10^6 + patch * 10,
    -- + 1 unless it is a pre-release; 0 none.
    ADD COLUMN IF NOT EXISTS sdk_version UInt64 MATERIALIZED if(
        kind NOT IN ('start', 'whole') OR JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').2 NOT IN ('js-sdk', 'python-sdk')
            OR empty(extractGroups(JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')),
        0,
        if(JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').2 = 'js-sdk', 1, 2) * 1000000000000000
            + toUInt64OrZero(extractGroups(JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')[1]) * 10000000000
            + toUInt64OrZero(extractGroups(JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')[2]) * 1000000
            + toUInt64OrZero(extractGroups(JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')[3]) * 10
            + match(extractGroups(JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)').3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')[4], '^([+]|[.]post|$)')) AFTER is_rolled_up;

ALTER TABLE call_parts MODIFY COLUMN is_rolled_up UInt8 MATERIALIZED usage_mode = 1;

CREATE TABLE IF NOT EXISTS merged_calls
(
    project_id String,
    trace_id String,
    key UInt128,
    parent SimpleAggregateFunction(max, UInt128),
    open_id SimpleAggregateFunction(max, String),
    is_after_parent SimpleAggregateFunction(min, UInt8),
    is_deleted SimpleAggregateFunction(max, UInt8),
    usage_mode SimpleAggregateFunction(max, UInt8),
    started_us SimpleAggregateFunction(max, Int64),
    ended_us SimpleAggregateFunction(max, Int64),
    sdk_version SimpleAggregateFunction(max, UInt64),
    usage SimpleAggregateFunction(max, Array(Tuple(
        model String, counters Array(UInt64), service_tier String, facts UInt8))),
    response SimpleAggregateFunction(max, UInt64),
    span_kind SimpleAggregateFunction(max, UInt8),
    scope SimpleAggregateFunction(max, UInt64),
    op_name SimpleAggregateFunction(max, String),
    wb_user_id SimpleAggregateFunction(max, String),
    thread_id SimpleAggregateFunction(max, String),
    has_error SimpleAggregateFunction(max, UInt8),
    checksum SimpleAggregateFunction(sum, UInt128)
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id, key)
SETTINGS index_granularity = 256, min_compress_block_size = 1024;

CREATE TABLE IF NOT EXISTS call_parts_backfill
(
    project_id String,
    trace_id String,
    id String,
    kind Enum8('start' = 1, 'end' = 2, 'whole' = 3, 'deletion' = 4),
    parent_id String,
    started_at Nullable(DateTime64(6, 'UTC')),
    ended_at Nullable(DateTime64(6, 'UTC')),
    op_name String,
    wb_user_id String,
    thread_id String,
    output_id String,
    has_exception UInt8,
    usage_fields Array(Tuple(model String, counters Array(UInt64), service_tier String, facts UInt8)),
    usage_mode UInt8,
    sdk_version UInt64,
    span_kind UInt8,
    scope UInt64,
    part_hash UInt128
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS merged_calls_from_parts TO merged_calls AS
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
    usage_mode,
    toUnixTimestamp64Micro(if(has_start, ifNull(started_at, epoch), epoch)) AS started_us,
    toUnixTimestamp64Micro(if(has_end, ifNull(ended_at, epoch), epoch)) AS ended_us,
    sdk_version,
    if(has_end, usage_fields, []) AS usage,
    if(has_end AND output_id != '', sipHash64(trace_id, output_id), 0) AS response,
    span_kind,
    scope,
    op_name,
    wb_user_id,
    thread_id,
    has_exception AS has_error,
    reinterpretAsUInt128(sipHash128(project_id, trace_id, id, kind, part_hash)) AS checksum
FROM call_parts
WHERE trace_id != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS merged_calls_from_backfill TO merged_calls AS
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
    usage_mode,
    toUnixTimestamp64Micro(if(has_start, ifNull(started_at, epoch), epoch)) AS started_us,
    toUnixTimestamp64Micro(if(has_end, ifNull(ended_at, epoch), epoch)) AS ended_us,
    sdk_version,
    if(has_end, usage_fields, []) AS usage,
    if(has_end AND output_id != '', sipHash64(trace_id, output_id), 0) AS response,
    span_kind,
    scope,
    op_name,
    wb_user_id,
    thread_id,
    has_exception AS has_error,
    reinterpretAsUInt128(sipHash128(project_id, trace_id, id, kind, part_hash)) AS checksum
FROM call_parts_backfill
WHERE trace_id != '';
