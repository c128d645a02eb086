-- Applies the counting rules (docs/usage.md) to the rows of `own_usage`: `counters`, what a call stored of a model, and
-- `own`, the rest of it without that of the call's children. What the rules conclude from, such as a total that has room
-- for reasoning tokens, is looked for in what is stored. The result is `counted_usage`, whose `counts` have the counters of
-- the rest and, for an explanation, those of what is stored by the same rules.
--
-- Numbers are Int64, so that differences have the same type. ClickHouse plans an expression again wherever its name is
-- used, and for each subquery around it, which takes longer than to compute it for a page: hence arrayMap over a single
-- value, which gives a value a name, and over positions.
read_usage AS
(
    SELECT
        *,
        -- Of what is stored and of the rest: prompt, completion, cache_read, cache_write, reasoning, audio in and out.
        arrayMap(
            fields -> arrayMap(
                pairs -> [
                    greatest(fields[gross_input], pairs[1]),
                    pairs[2],
                    arrayFirst(n -> n > 0, [
                        fields[cache_read], pairs[3], fields[cached_tokens], fields[prompt_cache_hits]]),
                    arrayFirst(n -> n > 0, [fields[cache_write], fields[cache_creation], pairs[4]]),
                    arrayFirst(n -> n > 0, [fields[thoughts], pairs[5]]),
                    pairs[6],
                    pairs[7]
                ],
                [arrayMap(
                    (a, b) -> if(is_one_pair, greatest(fields[a], fields[b]), fields[a] + fields[b]),
                    [
                        prompt_tokens, completion_tokens, cached_prompt, cache_write_of_prompt,
                        reasoning_of_completion, audio_of_prompt, audio_of_completion
                    ],
                    [
                        input_tokens, output_tokens, cached_input, cache_write_of_input,
                        reasoning_of_output, audio_of_input, audio_of_output
                    ])])[1],
            [counters, own]) AS readings
    FROM
    (
        SELECT *, {include is_one_pair} AS is_one_pair, lower(splitByChar('/', model)[-1]) AS model_name
        FROM own_usage
    )
),
counted_usage AS
(
    SELECT
        *,
        arrayMap(
            (stored, is_native) -> arrayMap(
                (fields, reading) -> arrayMap(
                    (prompt_with_cache, completion) -> arrayMap(
                        prompt -> arrayConcat(
                            [fields[requests], prompt, completion, greatest(fields[total_tokens], prompt + completion)],
                            -- Classes are disjoint, and none has more than those before it leave of the prompt.
                            arrayPopFront(arrayDifference(arrayMap(
                                bound -> least(bound, prompt),
                                [
                                    0,
                                    reading[3],
                                    reading[3] + least(fields[ephemeral_1h], reading[4]),
                                    reading[3] + reading[4],
                                    reading[3] + reading[4] + reading[6] - least(fields[cached_audio], reading[6]),
                                    prompt
                                ]))),
                            [least(reading[7], completion), least(fields[unknown_requests], fields[requests])]),
                        -- What Google's total has beyond the counts is the prompt of tools.
                        [if(
                            bitTest(facts, 2) OR model_name LIKE '%gemini%',
                            greatest(fields[total_tokens] - completion, prompt_with_cache),
                            prompt_with_cache)])[1],
                    [reading[1] + is_native * (reading[3] + reading[4])],
                    -- Reasoning is beside the completion if the total has room for it.
                    [reading[2] + reading[5] * (counters[total_tokens]
                        >= stored[1] + is_native * (stored[3] + stored[4]) + stored[2] + stored[5])])[1],
                if({is_explained:Bool}, [own, counters], [own]),
                if({is_explained:Bool}, [readings[2], stored], [readings[2]])),
            [readings[1]],
            -- Cached tokens are beside the prompt if there are more of them, or if the provider or SDK reports them so.
            [readings[1][3] + readings[1][4] > readings[1][1]
                OR bitTest(facts, 3)
                OR bitAnd(facts, 3) != 0 AND sdk_version BETWEEN 1 AND last_native_sdk
                    AND model_name LIKE '%claude%'])[1] AS counts
    FROM read_usage
)
