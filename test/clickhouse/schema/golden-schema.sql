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
    `is_rolled_up` UInt8 MATERIALIZED multiIf((kind NOT IN ('start', 'whole')), 0, JSONExtractString(attributes_dump, 'weave', 'usage_rollup') != '', JSONExtractString(attributes_dump, 'weave', 'usage_rollup') = 'rolled_up', (JSONExtractString(attributes_dump, 'weave', 'source') IN ('js-sdk', 'python-sdk'))),
    `has_payload` UInt8 MATERIALIZED (inputs_dump NOT IN ('', '{}')) OR (output_dump NOT IN ('', 'null')) OR (exception != '') OR (otel_dump != ''),
    `part_hash` UInt128 DEFAULT reinterpretAsUInt128(sipHash128(parent_id, op_name, display_name, attributes_dump, inputs_dump, output_dump, summary_dump, exception, thread_id, turn_id, otel_dump, wb_user_id, wb_run_id, toString((started_at, ended_at, wb_run_step, wb_run_step_end)), output_id, output_service_tier, has_exception)),
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

CREATE TABLE schema_migrations
(
    `name` String,
    `checksum` String,
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY name
SETTINGS index_granularity = 8192;
