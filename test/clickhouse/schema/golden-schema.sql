CREATE TABLE call_parts
(
    `project_id` String,
    `id` String,
    `kind` Enum8('start' = 1, 'end' = 2, 'whole' = 3, 'deletion' = 4),
    `trace_id` String DEFAULT '',
    `parent_id` String DEFAULT '',
    `started_at` Nullable(DateTime64(6, 'UTC')),
    `ended_at` Nullable(DateTime64(6, 'UTC')),
    `op_name` String DEFAULT '',
    `display_name` String DEFAULT '',
    `attributes_dump` String DEFAULT '{}' CODEC(ZSTD(1)),
    `usage_mode` UInt8 DEFAULT multiIf((kind NOT IN ('start', 'whole')), 0, ((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).1) = 'rolled_up', 1, ((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).1) = 'own', 0, ((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).1) = 'otel', 2, (((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).2) IN ('js-sdk', 'python-sdk')), 1, 0),
    `span_kind` UInt8 DEFAULT 0,
    `scope` UInt64 DEFAULT 0,
    `inputs_dump` String DEFAULT '{}' CODEC(ZSTD(1)),
    `output_dump` String DEFAULT 'null' CODEC(ZSTD(1)),
    `output_id` String DEFAULT if((JSONType(output_dump, 'id') = 'String') AND (length(JSONExtractString(output_dump, 'id')) <= 256), JSONExtractString(output_dump, 'id'), ''),
    `output_service_tier` String DEFAULT if((JSONType(output_dump, 'service_tier') = 'String') AND (length(JSONExtractString(output_dump, 'service_tier')) <= 256), JSONExtractString(output_dump, 'service_tier'), ''),
    `summary_dump` String DEFAULT '{}' CODEC(ZSTD(1)),
    `exception` String DEFAULT '' CODEC(ZSTD(1)),
    `has_exception` UInt8 DEFAULT exception != '',
    `thread_id` String DEFAULT '',
    `turn_id` String DEFAULT '',
    `otel_dump` String DEFAULT '' CODEC(ZSTD(1)),
    `wb_user_id` String DEFAULT '',
    `wb_run_id` String DEFAULT '',
    `wb_run_step` Nullable(Int64),
    `wb_run_step_end` Nullable(Int64),
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3),
    `usage` Array(Tuple(
        model String,
        requests UInt64,
        prompt UInt64,
        completion UInt64,
        total UInt64,
        cache_read UInt64,
        cache_creation UInt64)) MATERIALIZED arraySort(arrayFilter(entry -> ((((((tupleElement(entry, 'requests') + tupleElement(entry, 'prompt')) + tupleElement(entry, 'completion')) + tupleElement(entry, 'total')) + tupleElement(entry, 'cache_read')) + tupleElement(entry, 'cache_creation')) > 0), arrayMap(entry -> CAST((entry.1, (entry.2)[1], ((entry.2)[2]) + ((entry.2)[3]), ((entry.2)[4]) + ((entry.2)[5]), if(((entry.2)[6]) = 0, ((((entry.2)[2]) + ((entry.2)[3])) + ((entry.2)[4])) + ((entry.2)[5]), (entry.2)[6]), (entry.2)[7], (entry.2)[8]), 'Tuple(model String, requests UInt64, prompt UInt64, completion UInt64, total UInt64,\n                        cache_read UInt64, cache_creation UInt64)'), arrayMap(entry -> (entry.1, arrayMap(text -> if(toUInt64OrZero(text) < 9007199254740992, toUInt64OrZero(text), 0), [(entry.2)['requests'], (entry.2)['prompt_tokens'], (entry.2)['input_tokens'], (entry.2)['completion_tokens'], (entry.2)['output_tokens'], (entry.2)['total_tokens'], if((((entry.2)['cache_read_input_tokens']) IN ('', 'null')), entry.3, (entry.2)['cache_read_input_tokens']), (entry.2)['cache_creation_input_tokens']])), arrayMap(entry -> (entry.1, CAST(JSONExtractKeysAndValuesRaw(entry.2), 'Map(String, String)'), JSONExtractRaw(entry.2, 'prompt_tokens_details', 'cached_tokens')), arrayMap(entry -> (entry.1, replaceRegexpAll(entry.2, '[:,[]-?[0-9]{19,}', '\\0.0')), arrayFilter(entry -> startsWith(entry.2, '{'), JSONExtractKeysAndValuesRaw(summary_dump, 'usage')))))))),
    `is_rolled_up` UInt8 MATERIALIZED usage_mode = 1,
    `sdk_version` UInt64 MATERIALIZED if((kind NOT IN ('start', 'whole')) OR (((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).2) NOT IN ('js-sdk', 'python-sdk')) OR empty(extractGroups((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')), 0, ((((if(((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).2) = 'js-sdk', 1, 2) * 1000000000000000) + (toUInt64OrZero(extractGroups((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')[1]) * 10000000000)) + (toUInt64OrZero(extractGroups((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')[2]) * 1000000)) + (toUInt64OrZero(extractGroups((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')[3]) * 10)) + match(extractGroups((JSONExtract(attributes_dump, 'weave', 'Tuple(usage_rollup String, source String, client_version String)')).3, '^([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(.*)$')[4], '^([+]|[.]post|$)')),
    `has_payload` UInt8 MATERIALIZED (inputs_dump NOT IN ('', '{}')) OR (output_dump NOT IN ('', 'null')) OR (exception != '') OR (otel_dump != ''),
    `part_hash` UInt128 DEFAULT reinterpretAsUInt128(sipHash128(parent_id, op_name, display_name, attributes_dump, inputs_dump, output_dump, summary_dump, exception, thread_id, turn_id, otel_dump, wb_user_id, wb_run_id, toString((started_at, ended_at, wb_run_step, wb_run_step_end)), output_id, output_service_tier, has_exception)),
    `usage_fields` Array(Tuple(
        model String,
        counters Array(UInt64),
        service_tier String,
        facts UInt8)) MATERIALIZED arrayCompact(entry -> (entry.1), arraySort(arrayFilter(entry -> notEmpty(entry.2), arrayMap(entry -> (entry.1, arraySlice(arrayPushBack(entry.2, if(entry.3, 0, (entry.2)[1])), 1, arrayLastIndex(counter -> (counter > 0), arrayPushBack(entry.2, if(entry.3, 0, (entry.2)[1])))), entry.4, entry.5), arrayMap(entry -> (entry.1, arrayMap(text -> if(toUInt64OrZero(concat('0', text)) < 9007199254740992, toUInt64OrZero(concat('0', text)), 0), entry.2), arrayExists(text -> (match(text, '^[0-9]+$') AND (toUInt64OrZero(text) < 9007199254740992)), arrayPopFront(entry.2)), lower(if(length(entry.3) <= 32, entry.3, '')), entry.4), arrayMap((model, entry) -> (model, [entry.1, entry.2, entry.3, entry.4, entry.5, entry.6, entry.7, entry.8, (entry.15).1, (entry.16).1, (entry.17).1, (entry.18).1, entry.9, entry.10, if((entry.14) = '', '', JSONExtract(entry.14, 'Map(String, String)')['ephemeral_1h_input_tokens']), if((entry.14) = '', '', toString(toUInt64(least(9007199254740991., arraySum(text -> toFloat64(if(toUInt64OrZero(concat('0', text)) < 9007199254740992, toUInt64OrZero(concat('0', text)), 0)), mapValues(JSONExtract(entry.14, 'Map(String, String)'))))))), (entry.15).2, (entry.16).2, (entry.15).3, (entry.16).3, (entry.17).2, (entry.18).2, if((((entry.15).4).1) = '', ((entry.16).4).1, ((entry.15).4).1), entry.11, entry.12], if((entry.13) = '', output_service_tier, entry.13), toUInt8((((entry.14) != '') + (2 * ((entry.13) != ''))) + (4 * ((entry.9) != '')))), mapKeys(JSONExtract(summary_dump, 'usage', 'Map(String, Tuple(\n                        requests String, prompt_tokens String, completion_tokens String, total_tokens String,\n                        input_tokens String, output_tokens String, cache_read_input_tokens String,\n                        cache_creation_input_tokens String, thoughts_tokens String, gross_input_tokens String,\n                        cached_tokens String, prompt_cache_hit_tokens String, service_tier String,\n                        cache_creation String,\n                        prompt_tokens_details Tuple(cached_tokens String, cache_write_tokens String,\n                            audio_tokens String, cached_tokens_details Tuple(audio_tokens String)),\n                        input_tokens_details Tuple(cached_tokens String, cache_write_tokens String,\n                            audio_tokens String, cached_tokens_details Tuple(audio_tokens String)),\n                        completion_tokens_details Tuple(reasoning_tokens String, audio_tokens String),\n                        output_tokens_details Tuple(reasoning_tokens String, audio_tokens String)))')), mapValues(JSONExtract(summary_dump, 'usage', 'Map(String, Tuple(\n                        requests String, prompt_tokens String, completion_tokens String, total_tokens String,\n                        input_tokens String, output_tokens String, cache_read_input_tokens String,\n                        cache_creation_input_tokens String, thoughts_tokens String, gross_input_tokens String,\n                        cached_tokens String, prompt_cache_hit_tokens String, service_tier String,\n                        cache_creation String,\n                        prompt_tokens_details Tuple(cached_tokens String, cache_write_tokens String,\n                            audio_tokens String, cached_tokens_details Tuple(audio_tokens String)),\n                        input_tokens_details Tuple(cached_tokens String, cache_write_tokens String,\n                            audio_tokens String, cached_tokens_details Tuple(audio_tokens String)),\n                        completion_tokens_details Tuple(reasoning_tokens String, audio_tokens String),\n                        output_tokens_details Tuple(reasoning_tokens String, audio_tokens String)))')))))))),
    CONSTRAINT project_id_is_given CHECK project_id != '',
    CONSTRAINT id_is_given CHECK id != '',
    CONSTRAINT only_an_end_may_lack_its_trace_id CHECK (trace_id != '') OR (kind = 'end'),
    CONSTRAINT a_start_has_its_time CHECK (started_at IS NOT NULL) OR (kind IN ('end', 'deletion')),
    CONSTRAINT an_end_has_its_time CHECK (ended_at IS NOT NULL) OR (kind IN ('start', 'deletion')),
    CONSTRAINT attributes_dump_is_json CHECK isValidJSON(attributes_dump),
    CONSTRAINT summary_dump_is_json CHECK isValidJSON(summary_dump)
)
ENGINE = ReplacingMergeTree
ORDER BY (project_id, trace_id, id, kind, part_hash)
SETTINGS index_granularity = 8192;

CREATE TABLE call_parts_backfill
(
    `project_id` String,
    `trace_id` String,
    `id` String,
    `kind` Enum8('start' = 1, 'end' = 2, 'whole' = 3, 'deletion' = 4),
    `parent_id` String,
    `started_at` Nullable(DateTime64(6, 'UTC')),
    `ended_at` Nullable(DateTime64(6, 'UTC')),
    `op_name` String,
    `wb_user_id` String,
    `thread_id` String,
    `output_id` String,
    `has_exception` UInt8,
    `usage_fields` Array(Tuple(
        model String,
        counters Array(UInt64),
        service_tier String,
        facts UInt8)),
    `usage_mode` UInt8,
    `sdk_version` UInt64,
    `span_kind` UInt8,
    `scope` UInt64,
    `part_hash` UInt128
)
ENGINE = `Null`;

CREATE TABLE call_traces
(
    `project_id` String,
    `key` UInt128,
    `trace_id` SimpleAggregateFunction(max, String),
    `is_root` SimpleAggregateFunction(min, UInt8),
    `is_rolled_up` SimpleAggregateFunction(max, UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, key)
SETTINGS index_granularity = 64, min_compress_block_size = 1024;

CREATE MATERIALIZED VIEW call_traces_from_parts TO call_traces
(
    `project_id` String,
    `key` UInt128,
    `trace_id` String,
    `is_root` UInt8,
    `is_rolled_up` UInt8
)
AS SELECT
    project_id,
    reinterpretAsUInt128(sipHash128(id)) AS key,
    trace_id,
    parent_id = '' AS is_root,
    is_rolled_up
FROM call_parts
WHERE kind IN ('start', 'whole');

CREATE TABLE calls
(
    `project_id` String,
    `trace_id` String,
    `key` UInt128,
    `parent` SimpleAggregateFunction(max, UInt128),
    `open_id` SimpleAggregateFunction(max, String),
    `is_after_parent` SimpleAggregateFunction(min, UInt8),
    `is_deleted` SimpleAggregateFunction(max, UInt8),
    `is_rolled_up` SimpleAggregateFunction(max, UInt8),
    `started_us` SimpleAggregateFunction(max, Int64),
    `usage` SimpleAggregateFunction(max, Array(Tuple(
        model String,
        counters Array(UInt64))))
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id, key)
SETTINGS index_granularity = 256, min_compress_block_size = 1024;

CREATE MATERIALIZED VIEW calls_from_parts TO calls
(
    `project_id` String,
    `trace_id` String,
    `key` UInt128,
    `parent` UInt128,
    `open_id` String,
    `is_after_parent` UInt8,
    `is_deleted` UInt8,
    `is_rolled_up` UInt8,
    `started_us` Int64,
    `usage` Array(Tuple(
        String,
        Array(UInt64)))
)
AS WITH
    kind IN ('start', 'whole') AS has_start,
    kind IN ('end', 'whole') AS has_end,
    toDateTime64('1900-01-01 00:00:00', 6, 'UTC') AS epoch
SELECT
    project_id,
    trace_id,
    reinterpretAsUInt128(sipHash128(trace_id, id)) AS key,
    if(has_start AND (parent_id != ''), reinterpretAsUInt128(sipHash128(trace_id, parent_id)), 0) AS parent,
    multiIf(has_end, '�', has_start, id, '') AS open_id,
    (NOT has_start) OR (parent_id < id) AS is_after_parent,
    kind = 'deletion' AS is_deleted,
    is_rolled_up,
    toUnixTimestamp64Micro(if(has_start, ifNull(started_at, epoch), epoch)) AS started_us,
    arrayMap(used -> (used.model, [used.requests, used.prompt, used.completion, used.total, used.cache_read, used.cache_creation, if(used.prompt < (used.cache_read + used.cache_creation), used.prompt, toUInt64((used.prompt - used.cache_read) - used.cache_creation))]), if(has_end, call_parts.usage, [])) AS usage
FROM call_parts
WHERE trace_id != '';

CREATE TABLE llm_token_prices
(
    `id` String,
    `pricing_level` Enum8('default' = 1, 'project' = 2),
    `pricing_level_id` String,
    `provider_id` String,
    `llm_id` String,
    `effective_date` DateTime64(6, 'UTC'),
    `prompt_token_cost` Decimal(76, 30),
    `completion_token_cost` Decimal(76, 30),
    `cache_read_input_token_cost` Nullable(Decimal(76, 30)),
    `cache_creation_input_token_cost` Nullable(Decimal(76, 30)),
    `cache_creation_1h_input_token_cost` Nullable(Decimal(76, 30)),
    `audio_input_token_cost` Nullable(Decimal(76, 30)),
    `audio_output_token_cost` Nullable(Decimal(76, 30)),
    `prompt_token_cost_unit` LowCardinality(String) DEFAULT 'USD',
    `completion_token_cost_unit` LowCardinality(String) DEFAULT 'USD',
    `created_by` String,
    `created_at` DateTime64(6, 'UTC') DEFAULT now64(6),
    `is_deleted` UInt8 DEFAULT 0,
    `prompt_tokens_above` UInt64 DEFAULT 0,
    `alias_of` String DEFAULT '',
    `match_rule` LowCardinality(String) DEFAULT '',
    `service_tier` LowCardinality(String) DEFAULT '',
    `minutes_of_week` Array(Tuple(
        start UInt16,
        end UInt16)) DEFAULT [],
    `row_hash` UInt128 MATERIALIZED reinterpretAsUInt128(sipHash128(id, pricing_level_id, provider_id, llm_id, created_by, prompt_token_cost_unit, completion_token_cost_unit, alias_of, match_rule, service_tier, toString((pricing_level, effective_date, prompt_token_cost, completion_token_cost, cache_read_input_token_cost, cache_creation_input_token_cost, cache_creation_1h_input_token_cost, audio_input_token_cost, audio_output_token_cost, created_at, is_deleted, prompt_tokens_above, minutes_of_week))))
)
ENGINE = ReplacingMergeTree(created_at, is_deleted)
ORDER BY (pricing_level, pricing_level_id, llm_id, id)
SETTINGS index_granularity = 8192;

CREATE TABLE merged_calls
(
    `project_id` String,
    `trace_id` String,
    `key` UInt128,
    `parent` SimpleAggregateFunction(max, UInt128),
    `open_id` SimpleAggregateFunction(max, String),
    `is_after_parent` SimpleAggregateFunction(min, UInt8),
    `is_deleted` SimpleAggregateFunction(max, UInt8),
    `usage_mode` SimpleAggregateFunction(max, UInt8),
    `started_us` SimpleAggregateFunction(max, Int64),
    `ended_us` SimpleAggregateFunction(max, Int64),
    `sdk_version` SimpleAggregateFunction(max, UInt64),
    `usage` SimpleAggregateFunction(max, Array(Tuple(
        model String,
        counters Array(UInt64),
        service_tier String,
        facts UInt8))),
    `response` SimpleAggregateFunction(max, UInt64),
    `span_kind` SimpleAggregateFunction(max, UInt8),
    `scope` SimpleAggregateFunction(max, UInt64),
    `op_name` SimpleAggregateFunction(max, String),
    `wb_user_id` SimpleAggregateFunction(max, String),
    `thread_id` SimpleAggregateFunction(max, String),
    `has_error` SimpleAggregateFunction(max, UInt8),
    `checksum` SimpleAggregateFunction(sum, UInt128)
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id, key)
SETTINGS index_granularity = 256, min_compress_block_size = 1024;

CREATE MATERIALIZED VIEW merged_calls_from_backfill TO merged_calls
(
    `project_id` String,
    `trace_id` String,
    `key` UInt128,
    `parent` UInt128,
    `open_id` String,
    `is_after_parent` UInt8,
    `is_deleted` UInt8,
    `usage_mode` UInt8,
    `started_us` Int64,
    `ended_us` Int64,
    `sdk_version` UInt64,
    `usage` Array(Tuple(
        model String,
        counters Array(UInt64),
        service_tier String,
        facts UInt8)),
    `response` UInt64,
    `span_kind` UInt8,
    `scope` UInt64,
    `op_name` String,
    `wb_user_id` String,
    `thread_id` String,
    `has_error` UInt8,
    `checksum` UInt128
)
AS WITH
    kind IN ('start', 'whole') AS has_start,
    kind IN ('end', 'whole') AS has_end,
    toDateTime64('1900-01-01 00:00:00', 6, 'UTC') AS epoch
SELECT
    project_id,
    trace_id,
    reinterpretAsUInt128(sipHash128(trace_id, id)) AS key,
    if(has_start AND (parent_id != ''), reinterpretAsUInt128(sipHash128(trace_id, parent_id)), 0) AS parent,
    multiIf(has_end, '�', has_start, id, '') AS open_id,
    (NOT has_start) OR (parent_id < id) AS is_after_parent,
    kind = 'deletion' AS is_deleted,
    usage_mode,
    toUnixTimestamp64Micro(if(has_start, ifNull(started_at, epoch), epoch)) AS started_us,
    toUnixTimestamp64Micro(if(has_end, ifNull(ended_at, epoch), epoch)) AS ended_us,
    sdk_version,
    if(has_end, usage_fields, []) AS usage,
    if(has_end AND (output_id != ''), sipHash64(trace_id, output_id), 0) AS response,
    span_kind,
    scope,
    op_name,
    wb_user_id,
    thread_id,
    has_exception AS has_error,
    reinterpretAsUInt128(sipHash128(project_id, trace_id, id, kind, part_hash)) AS checksum
FROM call_parts_backfill
WHERE trace_id != '';

CREATE MATERIALIZED VIEW merged_calls_from_parts TO merged_calls
(
    `project_id` String,
    `trace_id` String,
    `key` UInt128,
    `parent` UInt128,
    `open_id` String,
    `is_after_parent` UInt8,
    `is_deleted` UInt8,
    `usage_mode` UInt8,
    `started_us` Int64,
    `ended_us` Int64,
    `sdk_version` UInt64,
    `usage` Array(Tuple(
        model String,
        counters Array(UInt64),
        service_tier String,
        facts UInt8)),
    `response` UInt64,
    `span_kind` UInt8,
    `scope` UInt64,
    `op_name` String,
    `wb_user_id` String,
    `thread_id` String,
    `has_error` UInt8,
    `checksum` UInt128
)
AS WITH
    kind IN ('start', 'whole') AS has_start,
    kind IN ('end', 'whole') AS has_end,
    toDateTime64('1900-01-01 00:00:00', 6, 'UTC') AS epoch
SELECT
    project_id,
    trace_id,
    reinterpretAsUInt128(sipHash128(trace_id, id)) AS key,
    if(has_start AND (parent_id != ''), reinterpretAsUInt128(sipHash128(trace_id, parent_id)), 0) AS parent,
    multiIf(has_end, '�', has_start, id, '') AS open_id,
    (NOT has_start) OR (parent_id < id) AS is_after_parent,
    kind = 'deletion' AS is_deleted,
    usage_mode,
    toUnixTimestamp64Micro(if(has_start, ifNull(started_at, epoch), epoch)) AS started_us,
    toUnixTimestamp64Micro(if(has_end, ifNull(ended_at, epoch), epoch)) AS ended_us,
    sdk_version,
    if(has_end, usage_fields, []) AS usage,
    if(has_end AND (output_id != ''), sipHash64(trace_id, output_id), 0) AS response,
    span_kind,
    scope,
    op_name,
    wb_user_id,
    thread_id,
    has_exception AS has_error,
    reinterpretAsUInt128(sipHash128(project_id, trace_id, id, kind, part_hash)) AS checksum
FROM call_parts
WHERE trace_id != '';

CREATE TABLE schema_migrations
(
    `name` String,
    `checksum` String,
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY name
SETTINGS index_granularity = 8192;
