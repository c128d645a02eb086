-- `merged_calls` replaces `calls` for all readers (docs/decisions/0016-usage-as-it-was-sent.md). It has what the rules of
-- counting need of a call as it was sent, so that a change of these rules changes statements and not this table. `calls`
-- stays filled for services of the release before; a later release drops it.

-- The usage of each model, field by field. `counters` has the fields at the positions of docs/call-parts.md without
-- trailing zeros, `facts` says which fields an entry has: 1 `cache_creation`, 2 `service_tier`, 4 `thoughts_tokens`,
-- 8 cached tokens that are beside the input by their definition; of other names of a field, see docs/usage-fields.md.
--
-- ClickHouse plans this expression at every insert, which costs more than to run it for a hundred rows. It therefore has
-- few functions rather than clear ones. From the innermost one outwards:
--
-- 1. The fields of each entry as text. An entry that is not an object has none. A field that is an object is its JSON.
--    `cache_creation` is read a second time for its one-hour writes, and `total_tokens` of a model of embeddings or
--    reranking a second time as input.
-- 2. The fields of fields that are objects get names as in `a.b`. Before that, what is nested deeper becomes `a.b.c`, and
--    the array [{"modality":"AUDIO","tokenCount":7}] the object {"AUDIO":7}.
-- 3. Each name becomes a code: counter * 100000 + rank * 1000 + fact * 100 + position. Each text becomes a counter, or a
--    negative number. A counter is a JSON integer from 0 to 2^53 - 1, a float of such a value, or text of digits alone;
--    the text of each has digits alone. '0' before it rules out '+12'.
-- 4. `facts`, whether a counter of tokens can be read (else the requests stand at position 26, too), and the counters
--    above 0. Nobody sends more than 200; without a bound, a repeated name would make the next step quadratic.
-- 5. A counter is left out if its name has a greater rank than another name for the same counter.
-- 6. The array of counters. What has the same position is summed, which is right for `cache_creation`.
-- 7. Entries without a counter are left out, the others sorted. Of a model that is repeated, one entry counts.
ALTER TABLE call_parts
    ADD COLUMN IF NOT EXISTS usage_fields Array(Tuple(
        model String, counters Array(UInt64), service_tier String, facts UInt8)) MATERIALIZED
        arrayCompact(entry -> entry.1, arraySort(arrayFilter(entry -> arraySum(entry.2) > 0, arrayMap(
            (model, tier, facts, last, fields) -> (
                model,
                arrayMap(
                    position -> arraySum(
                        (code, counter) -> counter * (code % 100 = position OR position = 26), fields.1, fields.2),
                    range(1, greatest(last, arrayMax(code -> code % 100, fields.1)) + 1)),
                tier,
                facts
            ),
            arrayMap(
                (model, tier, facts, last, fields) -> (
                    model,
                    tier,
                    facts,
                    last,
                    arrayFilter(
                        (code, counter) -> NOT arrayExists(
                            other -> other >= code - code % 100000 AND other < code - code % 1000, fields.1),
                        fields)
                ),
                arrayMap(
                    (model, tier, fields) -> (
                        model,
                        tier,
                        arrayReduce('groupBitOr', arrayMap(code -> intDiv(code, 100) % 10, fields.1)),
                        26 * NOT arrayExists(
                            (code, counter) -> code > 200000 AND counter BETWEEN 0 AND 9007199254740991, fields),
                        arraySlice(
                            arrayFilter(
                                (code, counter) -> code > 100000 AND counter BETWEEN 1 AND 9007199254740991, fields),
                            1,
                            200)
                    ),
                    arrayMap(
                        (model, tier, fields) -> (
                            model,
                            tier,
                            arrayMap(
                                (name, text) -> (
                                    transform(
                                        name,
                                        [
                                        'cache_creation', 'service_tier',
                                        'requests',
                                        'prompt_tokens', 'input_tokens', 'gross_input_tokens', 'promptTokens',
                                        'inputTokens', 'PromptTokens', 'promptTokenCount', 'prompt_token_count',
                                        'inputTokenCount', 'input_token_count', 'inputTextTokenCount',
                                        'inputTextTokens', 'prompt_eval_count', 'billed_units.input_tokens',
                                        'tokens.input_tokens', 'total_input_tokens', 'native_tokens_prompt',
                                        'tokens_prompt', 'tokens_evaluated', 'tokens', 'embedding.total_tokens',
                                        'completion_tokens', 'output_tokens', 'completionTokens', 'outputTokens',
                                        'CompletionTokens', 'candidatesTokenCount', 'candidates_token_count',
                                        'responseTokenCount', 'response_token_count', 'outputTokenCount',
                                        'output_token_count', 'generation_token_count', 'generated_token_count',
                                        'generated_tokens', 'eval_count', 'billed_units.output_tokens',
                                        'tokens.output_tokens', 'total_output_tokens', 'native_tokens_completion',
                                        'tokens_completion', 'tokens_predicted',
                                        'total_tokens', 'totalTokens', 'TotalTokens', 'totalTokenCount',
                                        'total_token_count',
                                        'cache_read_input_tokens', 'prompt_tokens_details.cached_tokens',
                                        'input_tokens_details.cached_tokens', 'cached_tokens',
                                        'prompt_cache_hit_tokens', 'input_token_details.cached_tokens',
                                        'prompt_token_details.cached_tokens', 'promptTokensDetails.cachedTokens',
                                        'cachedInputTokens', 'inputTokenDetails.cacheReadTokens',
                                        'cachedContentTokenCount', 'cached_content_token_count', 'total_cached_tokens',
                                        'num_cached_tokens', 'cached_prompt_text_tokens', 'native_tokens_cached',
                                        'precached_prompt_tokens', 'cached_input_tokens',
                                        'input_token_details.cache_read', 'cache_read_tokens', 'cacheReadInputTokens',
                                        'cacheReadInputTokenCount',
                                        'cache_creation_input_tokens', 'prompt_tokens_details.cache_write_tokens',
                                        'input_tokens_details.cache_write_tokens',
                                        'prompt_tokens_details.cache_creation_input_tokens',
                                        'prompt_tokens_details.cache_creation_tokens',
                                        'promptTokensDetails.cacheWriteTokens', 'inputTokenDetails.cacheWriteTokens',
                                        'input_token_details.cache_creation', 'cache_write_input_tokens',
                                        'cache_write_tokens', 'cacheWriteInputTokens', 'cacheWriteInputTokenCount',
                                        'cacheCreationInputTokens',
                                        'cache_creation_1h.ephemeral_1h_input_tokens', 'cacheDetails.1h',
                                        'prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens',
                                        'completion_tokens_details.reasoning_tokens',
                                        'output_tokens_details.reasoning_tokens', 'reasoning_tokens',
                                        'reasoningTokens', 'completionTokensDetails.reasoningTokens',
                                        'outputTokenDetails.reasoningTokens', 'output_token_details.reasoning',
                                        'native_tokens_reasoning', 'reasoning_output_tokens',
                                        'thoughts_tokens', 'thoughtsTokenCount', 'thoughts_token_count',
                                        'total_thought_tokens',
                                        'prompt_tokens_details.audio_tokens', 'input_tokens_details.audio_tokens',
                                        'input_token_details.audio_tokens', 'promptTokensDetails.audioTokens',
                                        'promptTokensDetails.AUDIO', 'prompt_tokens_details.AUDIO',
                                        'input_token_details.audio', 'input_audio_tokens',
                                        'completion_tokens_details.audio_tokens', 'output_tokens_details.audio_tokens',
                                        'output_token_details.audio_tokens', 'completionTokensDetails.audioTokens',
                                        'candidatesTokensDetails.AUDIO', 'candidates_tokens_details.AUDIO',
                                        'responseTokensDetails.AUDIO', 'response_tokens_details.AUDIO',
                                        'output_token_details.audio', 'output_audio_tokens',
                                        'prompt_tokens_details.cached_tokens_details.audio_tokens',
                                        'input_tokens_details.cached_tokens_details.audio_tokens',
                                        'input_token_details.cached_tokens_details.audio_tokens',
                                        'cacheTokensDetails.AUDIO', 'cache_tokens_details.AUDIO',
                                        'cache_audio_read_tokens'
                                        ],
                                        [
                                        100, 200,
                                        100001,
                                        200002, 200005, 200014, 201002, 202002, 203002, 204002, 205002, 206002, 207002,
                                        208002, 209002, 210002, 211002, 212002, 213002, 214002, 215002, 216002, 217002,
                                        299002,
                                        300003, 300006, 301003, 302003, 303003, 304003, 305003, 306003, 307003, 308003,
                                        309003, 310003, 311003, 312003, 313003, 314003, 315003, 316003, 317003, 318003,
                                        319003,
                                        400004, 401004, 402004, 403004, 404004,
                                        500007, 500009, 500010, 500024, 500025, 501025, 502025, 503025, 504025, 505025,
                                        506025, 507025, 508025, 509025, 510025, 511025, 512025, 513025, 514025, 515025,
                                        516807, 517807,
                                        600008, 600017, 600018, 601017, 602017, 603017, 604017, 605017, 606017, 607017,
                                        608808, 609808, 610808,
                                        700015, 701015, 702015,
                                        800011, 800012, 801011, 802011, 803011, 804011, 805011, 806011, 807011,
                                        900413, 901413, 902413, 903413,
                                        1000019, 1000020, 1001019, 1002019, 1003019, 1004019, 1005019, 1006019,
                                        1100021, 1100022, 1101021, 1102021, 1103021, 1104021, 1105021, 1106021,
                                        1107021, 1108021,
                                        1200023, 1201023, 1202023, 1203023, 1204023, 1205023
                                        ],
                                        600016 * startsWith(name, 'cache_creation.')),
                                    toInt64OrDefault(concat('0', text), toInt64(-1)) - empty(text)
                                ),
                                arrayConcat(fields, arrayFlatten(arrayMap(
                                    (object, text) -> arrayMap(
                                        (name, value) -> (concat(object, '.', name), value),
                                        JSONExtractKeysAndValues(
                                            if(
                                                startsWith(text, '['),
                                                replaceRegexpAll(
                                                    translate(text, '[]', '{}'),
                                                    '\\{(?:"(?:modality|ttl)":"(\\w+)","\\w+":"?([0-9]+)"?|"\\w+":"?([0-9]+)"?,"(?:modality|ttl)":"(\\w+)")\\}',
                                                    '"\\1\\4":"\\2\\3"'),
                                                replaceRegexpAll(
                                                    text,
                                                    '"(cached_tokens_details|cache_creation_token_details)":\\{[^{}]*?"(audio_tokens|ephemeral_1h_input_tokens)":("?[0-9]+"?)(?:,[^{}]*)?\\}',
                                                    '"\\1.\\2":\\3')),
                                            'String')),
                                    -- Texts that begin with '[' or '{', and many that are no JSON, which have no keys.
                                    arrayFilter((object, text) -> text >= '[', fields)))))
                        ),
                        arrayMap(
                            (model, fields) -> (
                                model,
                                substring(
                                    lower(if(
                                        fields['service_tier'] = '', output_service_tier, fields['service_tier'])),
                                    1,
                                    32),
                                arrayConcat(
                                    CAST(fields, 'Array(Tuple(String, String))'),
                                    [
                                        ('cache_creation_1h', fields['cache_creation']),
                                        (
                                            if(
                                                match(model, '(?i)embed|rerank|(?:^|/)(?:voyage|jina)[^/]*$'),
                                                'embedding.total_tokens',
                                                ''),
                                            fields['total_tokens']
                                        )
                                    ])
                            ),
                            JSONExtractKeysAndValues(summary_dump, 'usage', 'Map(String, String)')))))))))
        AFTER inserted_at,
    -- How the call's usage relates to that of its children: 0 own, 1 rolled up, 2 spans of OpenTelemetry.
    ADD COLUMN IF NOT EXISTS usage_mode UInt8 DEFAULT if(
        kind IN ('start', 'whole'),
        transform(
            JSONExtractString(attributes_dump, 'weave', 'usage_rollup'),
            ['own', 'rolled_up', 'otel'],
            [0, 1, 2],
            JSONExtractString(attributes_dump, 'weave', 'source') IN ('js-sdk', 'python-sdk')),
        0) AFTER attributes_dump,
    -- Of a span of OpenTelemetry: 1 inference, 2 tool, 3 agent; 0 other.
    ADD COLUMN IF NOT EXISTS span_kind UInt8 DEFAULT 0 AFTER usage_mode,
    -- Of a span of OpenTelemetry, a hash of its instrumentation scope; 0 none.
    ADD COLUMN IF NOT EXISTS scope UInt64 DEFAULT 0 AFTER span_kind,
    -- The SDK that sent the call: (1 js-sdk, 2 python-sdk) * 10^15 + major * 10^10 + minor * 10^6 + patch * 10 + (1 unless
    -- it is a pre-release); 0 none. ' 1' is appended to be found behind the patch or what may follow it in a release.
    ADD COLUMN IF NOT EXISTS sdk_version UInt64 MATERIALIZED arraySum(
        (text, unit) -> toUInt64OrZero(text) * unit,
        arrayResize(
            extractGroups(
                concat(
                    transform(
                        JSONExtractString(attributes_dump, 'weave', 'source'), ['js-sdk', 'python-sdk'], ['1.', '2.'], ''),
                    JSONExtractString(attributes_dump, 'weave', 'client_version'),
                    ' 1'),
                '^([12])[.]([0-9]{1,4})[.]([0-9]{1,4})[.]([0-9]{1,5})(?:(?:[+].*|[.]post[0-9]+)? (1)$|[^0-9])'),
            5),
        [1000000000000000, 10000000000, 1000000, 10, 1]) AFTER is_rolled_up;

-- The same as `usage_mode` = 1. A column that depends on another one costs as much as both at each insert.
ALTER TABLE call_parts MODIFY COLUMN is_rolled_up UInt8 MATERIALIZED kind IN ('start', 'whole') AND transform(
    JSONExtractString(attributes_dump, 'weave', 'usage_rollup'),
    ['own', 'rolled_up', 'otel'],
    [0, 1, 0],
    JSONExtractString(attributes_dump, 'weave', 'source') IN ('js-sdk', 'python-sdk'));

-- Parts that differ in the new columns are not repeats of each other. The hash of a stored row never changes.
ALTER TABLE call_parts MODIFY COLUMN part_hash UInt128 DEFAULT reinterpretAsUInt128(sipHash128(
    parent_id, op_name, display_name, attributes_dump, inputs_dump, output_dump, summary_dump, exception,
    thread_id, turn_id, otel_dump, wb_user_id, wb_run_id,
    toString((started_at, ended_at, wb_run_step, wb_run_step_end)),
    output_id, output_service_tier, has_exception, usage_mode, span_kind, scope));

-- One row a call and trace, as in `calls`. `usage_mode` and later columns are those of call_parts and docs/call-parts.md.
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
    -- Microseconds since 1970; those of the year 1900 until the call has a start, or an end.
    started_us SimpleAggregateFunction(max, Int64),
    ended_us SimpleAggregateFunction(max, Int64),
    sdk_version SimpleAggregateFunction(max, UInt64),
    usage SimpleAggregateFunction(max, Array(Tuple(
        model String, counters Array(UInt64), service_tier String, facts UInt8))),
    -- A hash of the trace and the id of the response, 0 without one: equal for spans that report the same response.
    response SimpleAggregateFunction(max, UInt64),
    span_kind SimpleAggregateFunction(max, UInt8),
    scope SimpleAggregateFunction(max, UInt64),
    op_name SimpleAggregateFunction(max, String),
    wb_user_id SimpleAggregateFunction(max, String),
    thread_id SimpleAggregateFunction(max, String),
    has_error SimpleAggregateFunction(max, UInt8),
    -- The sum of the hashes of all parts that were inserted, repeats included: it changes with each insert and with
    -- nothing else. 128 bits, since the hash is unkeyed and 64-bit collisions can be made.
    checksum SimpleAggregateFunction(sum, UInt128)
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id, key)
SETTINGS index_granularity = 256, min_compress_block_size = 1024;

-- The parts that were stored before the view below existed go through this table (src/clickhouse/schema/backfill.ts), so
-- that all views on it get the same rows. It stores nothing.
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
    usage_mode UInt8,
    span_kind UInt8,
    scope UInt64,
    output_id String,
    has_exception UInt8,
    thread_id String,
    wb_user_id String,
    usage_fields Array(Tuple(model String, counters Array(UInt64), service_tier String, facts UInt8)),
    sdk_version UInt64,
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

-- `calls` gets its usage from the same fields, so that JSON is read once. The column `usage` is not needed any more.
ALTER TABLE calls_from_parts MODIFY QUERY
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
        (model, counters) -> (
            model,
            arrayPushBack(
                counters,
                if(
                    counters[2] < counters[5] + counters[6],
                    counters[2],
                    toUInt64(counters[2] - counters[5] - counters[6])))
        ),
        arrayMap(
            (model, counters, tier, facts) -> (
                model,
                [
                    counters[1],
                    counters[2] + counters[5],
                    counters[3] + counters[6],
                    greatest(counters[4], counters[2] + counters[5] + counters[3] + counters[6]),
                    greatest(counters[7], counters[9]),
                    counters[8]
                ]
            ),
            if(has_end, usage_fields, []))) AS usage
FROM call_parts
WHERE trace_id != '';

ALTER TABLE call_parts MODIFY COLUMN usage Array(Tuple(
    model String, requests UInt64, prompt UInt64, completion UInt64, total UInt64,
    cache_read UInt64, cache_creation UInt64)) MATERIALIZED [];
