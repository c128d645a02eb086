-- Texts of prompts can be erased: by a column TTL (PAYLOAD_RETENTION_DAYS), and by ALTER TABLE … UPDATE after a deletion.
-- What rules need of them gets columns of its own (docs/operations.md, Payloads).

-- `output_id` and `output_service_tier` are the texts `id` and `service_tier` of the output, where they are short. The
-- service sets both, because it does not store outputs by default; of a pipeline's outputs ClickHouse extracts them.
-- `has_payload` is what erasure looks for: it costs next to nothing to read, and ClickHouse computes it again when it
-- erases the texts.
ALTER TABLE call_parts
    ADD COLUMN IF NOT EXISTS output_id String DEFAULT if(
        JSONType(output_dump, 'id') = 'String' AND length(JSONExtractString(output_dump, 'id')) <= 256,
        JSONExtractString(output_dump, 'id'), '') AFTER output_dump,
    ADD COLUMN IF NOT EXISTS output_service_tier String DEFAULT if(
        JSONType(output_dump, 'service_tier') = 'String'
            AND length(JSONExtractString(output_dump, 'service_tier')) <= 256,
        JSONExtractString(output_dump, 'service_tier'), '') AFTER output_id,
    ADD COLUMN IF NOT EXISTS has_exception UInt8 DEFAULT exception != '' AFTER exception,
    ADD COLUMN IF NOT EXISTS has_payload UInt8 MATERIALIZED
        inputs_dump NOT IN ('', '{}') OR output_dump NOT IN ('', 'null') OR exception != '' OR otel_dump != ''
        AFTER is_rolled_up;

-- DEFAULT instead of MATERIALIZED: ClickHouse refuses to update columns on which a MATERIALIZED key column depends,
-- and a row that is stored again (repair_orphan_ends.sql) keeps its hash, also when its texts have been erased. The
-- hash of a stored row never changes.
ALTER TABLE call_parts MODIFY COLUMN part_hash UInt128 DEFAULT reinterpretAsUInt128(sipHash128(
    parent_id, op_name, display_name, attributes_dump, inputs_dump, output_dump, summary_dump, exception,
    thread_id, turn_id, otel_dump, wb_user_id, wb_run_id,
    toString((started_at, ended_at, wb_run_step, wb_run_step_end)),
    output_id, output_service_tier, has_exception));

-- The same values as before: ALTER TABLE … UPDATE cannot resolve `entry.requests` in the expression of a column.
ALTER TABLE call_parts MODIFY COLUMN usage Array(Tuple(
        model String, requests UInt64, prompt UInt64, completion UInt64, total UInt64,
        cache_read UInt64, cache_creation UInt64)) MATERIALIZED
        arraySort(arrayFilter(
            entry -> tupleElement(entry, 'requests') + tupleElement(entry, 'prompt')
                + tupleElement(entry, 'completion') + tupleElement(entry, 'total')
                + tupleElement(entry, 'cache_read') + tupleElement(entry, 'cache_creation') > 0,
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
                                JSONExtractKeysAndValuesRaw(summary_dump, 'usage'))))))));

-- Stored rows get the new columns now: once their texts are erased, nothing could be extracted.
ALTER TABLE call_parts
    MATERIALIZE COLUMN output_id,
    MATERIALIZE COLUMN output_service_tier,
    MATERIALIZE COLUMN has_exception,
    MATERIALIZE COLUMN has_payload
    SETTINGS mutations_sync = 2;
