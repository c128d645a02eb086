-- Applies the counting rules (docs/usage.md) to the rows of `own_usage`: `counters`, what a call stored of a model, and
-- `own`, the rest of it without that of the call's children. What the rules conclude from, such as a total that has room
-- for reasoning tokens, is looked for in what is stored. The result is `counted_usage`.
--
-- `readings` has prompt, completion, cache_read, cache_write and reasoning of both. Numbers are Int64, so that
-- differences have the same type. ClickHouse repeats the expression behind a name wherever the name is used, and plans
-- each of them, which takes longer than to compute them for a page: hence the subqueries, and arrayMap over one value.
pair_usage AS
(
    SELECT
        *,
        {include is_one_pair} AS is_one_pair,
        lower(splitByChar('/', model)[-1]) AS model_name
    FROM own_usage
),
read_usage AS
(
    WITH (a, b) -> if(is_one_pair, greatest(a, b), a + b) AS of_pair
    SELECT
        *,
        of_pair(own[audio_of_prompt], own[audio_of_input]) AS audio_input,
        of_pair(own[audio_of_completion], own[audio_of_output]) AS audio_output,
        arrayMap(
            fields -> [
                greatest(fields[gross_input], of_pair(fields[prompt_tokens], fields[input_tokens])),
                of_pair(fields[completion_tokens], fields[output_tokens]),
                arrayFirst(n -> n > 0, [
                    fields[cache_read],
                    of_pair(fields[cached_prompt], fields[cached_input]),
                    fields[cached_tokens],
                    fields[prompt_cache_hits]]),
                arrayFirst(n -> n > 0, [
                    fields[cache_write],
                    fields[cache_creation],
                    of_pair(fields[cache_write_of_prompt], fields[cache_write_of_input])]),
                arrayFirst(n -> n > 0, [
                    fields[thoughts],
                    of_pair(fields[reasoning_of_completion], fields[reasoning_of_output])])
            ],
            [counters, own]) AS readings
    FROM pair_usage
),
-- Cached tokens are beside the prompt if there are more of them, or if the provider or the SDK reports them so.
native_usage AS
(
    SELECT
        *,
        arrayMap(
            (reading, factor) -> reading[1] + factor * (reading[3] + reading[4]),
            readings,
            [is_native, is_native]) AS prompts
    FROM
    (
        SELECT
            *,
            readings[1][3] + readings[1][4] > readings[1][1]
                OR bitTest(facts, 3)
                OR bitAnd(facts, 3) != 0 AND sdk_version BETWEEN 1 AND last_native_sdk
                    AND model_name LIKE '%claude%' AS is_native
        FROM read_usage
    )
),
-- Reasoning is beside the completion if the total has room for it. What Google's total has beyond the counts is the
-- prompt of tools.
beside_usage AS
(
    SELECT
        *,
        if(
            bitTest(facts, 2) OR model_name LIKE '%gemini%',
            greatest(own[total_tokens] - completion, prompts[2]),
            prompts[2]) AS prompt
    FROM
    (
        SELECT
            *,
            readings[2][2]
                + (counters[total_tokens] >= prompts[1] + readings[1][2] + readings[1][5]) * readings[2][5] AS completion
        FROM native_usage
    )
),
-- Classes are disjoint, and none has more than those before it leave of the prompt.
counted_usage AS
(
    SELECT
        *,
        own[requests] AS request_count,
        arrayConcat(
            [request_count, prompt, completion, greatest(own[total_tokens], prompt + completion)],
            arrayPopFront(arrayDifference(arrayMap(
                bound -> least(bound, prompt),
                [
                    0,
                    readings[2][3],
                    readings[2][3] + least(own[ephemeral_1h], readings[2][4]),
                    readings[2][3] + readings[2][4],
                    readings[2][3] + readings[2][4] + audio_input - least(own[cached_audio], audio_input),
                    prompt
                ]))),
            [least(audio_output, completion), least(own[unknown_requests], request_count)]) AS counted,
        {include price_class}
    FROM beside_usage
)
