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
    `usage_mode` UInt8 DEFAULT if((kind IN ('start', 'whole')), transform(JSONExtractString(attributes_dump, 'weave', 'usage_rollup'), ['own', 'rolled_up', 'otel'], [0, 1, 2], (JSONExtractString(attributes_dump, 'weave', 'source') IN ('js-sdk', 'python-sdk'))), 0),
    `span_kind` UInt8 DEFAULT 0,
    `scope` UInt64 DEFAULT 0,
    `span_attributes` String DEFAULT '' CODEC(ZSTD(1)),
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
    `usage_fields` Array(Tuple(
        model String,
        counters Array(UInt64),
        service_tier String,
        facts UInt8)) MATERIALIZED arrayCompact(entry -> (entry.1), arraySort(arrayFilter(entry -> (arraySum(entry.2) > 0), arrayMap((model, tier, facts, last, fields) -> (model, arrayMap(position -> arraySum((code, counter) -> (counter * (((code % 100) = position) OR (position = 26))), fields.1, fields.2), range(1, greatest(last, arrayMax(code -> (code % 100), fields.1)) + 1)), tier, facts), arrayMap((model, tier, facts, last, fields) -> (model, tier, facts, last, arrayFilter((code, counter) -> (NOT arrayExists(other -> ((other >= (code - (code % 100000))) AND (other < (code - (code % 1000)))), fields.1)), fields)), arrayMap((model, tier, fields) -> (model, tier, arrayReduce('groupBitOr', arrayMap(code -> (intDiv(code, 100) % 10), fields.1)), 26 * (NOT arrayExists((code, counter) -> ((code > 200000) AND ((counter >= 0) AND (counter <= 9007199254740991))), fields)), arraySlice(arrayFilter((code, counter) -> ((code > 100000) AND ((counter >= 1) AND (counter <= 9007199254740991))), fields), 1, 200)), arrayMap((model, tier, fields) -> (model, tier, arrayMap((name, text) -> (transform(name, ['cache_creation', 'service_tier', 'requests', 'prompt_tokens', 'input_tokens', 'gross_input_tokens', 'promptTokens', 'inputTokens', 'PromptTokens', 'promptTokenCount', 'prompt_token_count', 'inputTokenCount', 'input_token_count', 'inputTextTokenCount', 'inputTextTokens', 'prompt_eval_count', 'billed_units.input_tokens', 'tokens.input_tokens', 'total_input_tokens', 'native_tokens_prompt', 'tokens_prompt', 'tokens_evaluated', 'tokens', 'embedding.total_tokens', 'completion_tokens', 'output_tokens', 'completionTokens', 'outputTokens', 'CompletionTokens', 'candidatesTokenCount', 'candidates_token_count', 'responseTokenCount', 'response_token_count', 'outputTokenCount', 'output_token_count', 'generation_token_count', 'generated_token_count', 'generated_tokens', 'eval_count', 'billed_units.output_tokens', 'tokens.output_tokens', 'total_output_tokens', 'native_tokens_completion', 'tokens_completion', 'tokens_predicted', 'total_tokens', 'totalTokens', 'TotalTokens', 'totalTokenCount', 'total_token_count', 'cache_read_input_tokens', 'prompt_tokens_details.cached_tokens', 'input_tokens_details.cached_tokens', 'cached_tokens', 'prompt_cache_hit_tokens', 'input_token_details.cached_tokens', 'prompt_token_details.cached_tokens', 'promptTokensDetails.cachedTokens', 'cachedInputTokens', 'inputTokenDetails.cacheReadTokens', 'cachedContentTokenCount', 'cached_content_token_count', 'total_cached_tokens', 'num_cached_tokens', 'cached_prompt_text_tokens', 'native_tokens_cached', 'precached_prompt_tokens', 'cached_input_tokens', 'input_token_details.cache_read', 'cache_read_tokens', 'cacheReadInputTokens', 'cacheReadInputTokenCount', 'cache_creation_input_tokens', 'prompt_tokens_details.cache_write_tokens', 'input_tokens_details.cache_write_tokens', 'prompt_tokens_details.cache_creation_input_tokens', 'prompt_tokens_details.cache_creation_tokens', 'promptTokensDetails.cacheWriteTokens', 'inputTokenDetails.cacheWriteTokens', 'input_token_details.cache_creation', 'cache_write_input_tokens', 'cache_write_tokens', 'cacheWriteInputTokens', 'cacheWriteInputTokenCount', 'cacheCreationInputTokens', 'cache_creation_1h.ephemeral_1h_input_tokens', 'cacheDetails.1h', 'prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens', 'completion_tokens_details.reasoning_tokens', 'output_tokens_details.reasoning_tokens', 'reasoning_tokens', 'reasoningTokens', 'completionTokensDetails.reasoningTokens', 'outputTokenDetails.reasoningTokens', 'output_token_details.reasoning', 'native_tokens_reasoning', 'reasoning_output_tokens', 'thoughts_tokens', 'thoughtsTokenCount', 'thoughts_token_count', 'total_thought_tokens', 'prompt_tokens_details.audio_tokens', 'input_tokens_details.audio_tokens', 'input_token_details.audio_tokens', 'promptTokensDetails.audioTokens', 'promptTokensDetails.AUDIO', 'prompt_tokens_details.AUDIO', 'input_token_details.audio', 'input_audio_tokens', 'completion_tokens_details.audio_tokens', 'output_tokens_details.audio_tokens', 'output_token_details.audio_tokens', 'completionTokensDetails.audioTokens', 'candidatesTokensDetails.AUDIO', 'candidates_tokens_details.AUDIO', 'responseTokensDetails.AUDIO', 'response_tokens_details.AUDIO', 'output_token_details.audio', 'output_audio_tokens', 'prompt_tokens_details.cached_tokens_details.audio_tokens', 'input_tokens_details.cached_tokens_details.audio_tokens', 'input_token_details.cached_tokens_details.audio_tokens', 'cacheTokensDetails.AUDIO', 'cache_tokens_details.AUDIO', 'cache_audio_read_tokens'], [100, 200, 100001, 200002, 200005, 200014, 201002, 202002, 203002, 204002, 205002, 206002, 207002, 208002, 209002, 210002, 211002, 212002, 213002, 214002, 215002, 216002, 217002, 299002, 300003, 300006, 301003, 302003, 303003, 304003, 305003, 306003, 307003, 308003, 309003, 310003, 311003, 312003, 313003, 314003, 315003, 316003, 317003, 318003, 319003, 400004, 401004, 402004, 403004, 404004, 500007, 500009, 500010, 500024, 500025, 501025, 502025, 503025, 504025, 505025, 506025, 507025, 508025, 509025, 510025, 511025, 512025, 513025, 514025, 515025, 516807, 517807, 600008, 600017, 600018, 601017, 602017, 603017, 604017, 605017, 606017, 607017, 608808, 609808, 610808, 700015, 701015, 702015, 800011, 800012, 801011, 802011, 803011, 804011, 805011, 806011, 807011, 900413, 901413, 902413, 903413, 1000019, 1000020, 1001019, 1002019, 1003019, 1004019, 1005019, 1006019, 1100021, 1100022, 1101021, 1102021, 1103021, 1104021, 1105021, 1106021, 1107021, 1108021, 1200023, 1201023, 1202023, 1203023, 1204023, 1205023], 600016 * startsWith(name, 'cache_creation.')), toInt64OrDefault(concat('0', text), toInt64(-1)) - empty(text)), arrayConcat(fields, arrayFlatten(arrayMap((object, text) -> arrayMap((name, value) -> (concat(object, '.', name), value), JSONExtractKeysAndValues(if(startsWith(text, '['), replaceRegexpAll(translate(text, '[]', '{}'), '\\{(?:"(?:modality|ttl)":"(\\w+)","\\w+":"?([0-9]+)"?|"\\w+":"?([0-9]+)"?,"(?:modality|ttl)":"(\\w+)")\\}', '"\\1\\4":"\\2\\3"'), replaceRegexpAll(text, '"(cached_tokens_details|cache_creation_token_details)":\\{[^{}]*?"(audio_tokens|ephemeral_1h_input_tokens)":("?[0-9]+"?)(?:,[^{}]*)?\\}', '"\\1.\\2":\\3')), 'String')), arrayFilter((object, text) -> (text >= '['), fields)))))), arrayMap((model, fields) -> (model, substring(lower(if((fields['service_tier']) = '', output_service_tier, fields['service_tier'])), 1, 32), arrayConcat(CAST(fields, 'Array(Tuple(String, String))'), [('cache_creation_1h', fields['cache_creation']), (if(match(model, '(?i)embed|rerank|(?:^|/)(?:voyage|jina)[^/]*$'), 'embedding.total_tokens', ''), fields['total_tokens'])])), JSONExtractKeysAndValues(summary_dump, 'usage', 'Map(String, String)'))))))))),
    `usage` Array(Tuple(
        model String,
        requests UInt64,
        prompt UInt64,
        completion UInt64,
        total UInt64,
        cache_read UInt64,
        cache_creation UInt64)) MATERIALIZED [],
    `is_rolled_up` UInt8 MATERIALIZED (kind IN ('start', 'whole')) AND transform(JSONExtractString(attributes_dump, 'weave', 'usage_rollup'), ['own', 'rolled_up', 'otel'], [0, 1, 0], (JSONExtractString(attributes_dump, 'weave', 'source') IN ('js-sdk', 'python-sdk'))),
    `sdk_version` UInt64 MATERIALIZED arraySum((text, unit) -> (toUInt64OrZero(text) * unit), arrayResize(extractGroups(concat(transform(JSONExtractString(attributes_dump, 'weave', 'source'), ['js-sdk', 'python-sdk'], ['1.', '2.'], ''), JSONExtractString(attributes_dump, 'weave', 'client_version'), ' 1'), '^([12])[.]([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(?:(?:[+].*|[.]post[0-9]+)? (1)$|[^0-9])'), 5), [1000000000000000, 10000000000, 1000000, 10, 1]),
    `has_payload` UInt8 MATERIALIZED (inputs_dump NOT IN ('', '{}')) OR (output_dump NOT IN ('', 'null')) OR (exception != '') OR (otel_dump != ''),
    `part_hash` UInt128 DEFAULT reinterpretAsUInt128(sipHash128(parent_id, op_name, display_name, attributes_dump, inputs_dump, output_dump, summary_dump, exception, thread_id, turn_id, otel_dump, wb_user_id, wb_run_id, toString((started_at, ended_at, wb_run_step, wb_run_step_end)), output_id, output_service_tier, has_exception, usage_mode, span_kind, scope, span_attributes)),
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
    `usage_mode` UInt8,
    `span_kind` UInt8,
    `scope` UInt64,
    `output_id` String,
    `has_exception` UInt8,
    `thread_id` String,
    `wb_user_id` String,
    `usage_fields` Array(Tuple(
        model String,
        counters Array(UInt64),
        service_tier String,
        facts UInt8)),
    `sdk_version` UInt64,
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

CREATE TABLE fill_progress
(
    `filled_table` String,
    `project` String,
    `trace` String,
    `rows` UInt64,
    `is_complete` UInt8,
    `inserted_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (filled_table, project, trace)
SETTINGS index_granularity = 8192;

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
    `checksum` SimpleAggregateFunction(sum, UInt128),
    PROJECTION trace_checksums
    (
        SELECT
            project_id,
            trace_id,
            sum(checksum),
            count()
        GROUP BY
            project_id,
            trace_id
    )
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id, key)
SETTINGS index_granularity = 256, min_compress_block_size = 1024, deduplicate_merge_projection_mode = 'rebuild';

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

CREATE TABLE trace_rollups
(
    `project_id` String,
    `trace_id` String,
    `rules_version` UInt64,
    `checksum` UInt128,
    `rolled_up_at` DateTime64(3, 'UTC') DEFAULT now64(3),
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
    `groups.counters` Array(Array(UInt128)),
    `groups.unfinished_call_ids` Array(Array(String)),
    `groups.deleted_open_call_ids` Array(Array(String)),
    `groups.entries` Array(UInt64),
    `groups.known_entries` Array(UInt64),
    `groups.finished_calls` Array(UInt64),
    `groups.latency_us` Array(Int128),
    `depends_on_top` UInt8,
    `tops.started_us` Array(Int64),
    `tops.key` Array(UInt128),
    `tops.ended_us` Array(Int64),
    `tops.op_name` Array(String),
    `tops.wb_user_id` Array(String),
    `tops.thread_id` Array(String),
    `tops.is_root` Array(UInt8),
    `sums.model` Array(String),
    `sums.service_tier` Array(String),
    `sums.min_started_us` Array(Int64),
    `sums.max_started_us` Array(Int64),
    `sums.min_prompt_size` Array(Int64),
    `sums.max_prompt_size` Array(Int64),
    `sums.counters` Array(Array(UInt128)),
    `calls` UInt64,
    `errors` UInt64,
    `unfinished_calls` UInt64,
    `root_id` String,
    `root_key` UInt128 MATERIALIZED reinterpretAsUInt128(sipHash128(root_id)),
    `root_usage` String CODEC(ZSTD(1)),
    `root_display_name` String,
    PROJECTION root_keys
    (
        SELECT
            project_id,
            root_key,
            rules_version,
            trace_id,
            checksum,
            root_id,
            root_usage
        ORDER BY
            project_id,
            root_key
    )
)
ENGINE = ReplacingMergeTree(rolled_up_at)
ORDER BY (project_id, trace_id, rules_version, checksum)
SETTINGS index_granularity = 64, min_compress_block_size = 1024, deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';
