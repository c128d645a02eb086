-- The answer of usage_tree_walk.sql in half the time, for the roots of whole traces as OpenTelemetry and REST clients send
-- them: everything in the trace hangs below its one root, and no usage is rolled up. Then a trace's flat sum is the
-- answer, and no tree has to be walked.
--
-- src/usage/query-usage.ts looks whether that is so, and asks another statement if not: other than one root in a
-- trace, `is_rolled_up`, or `needs_tree_walk`, where something is deleted, a parent is missing, or a call is not later than
-- its parent, as in a circle one would be. Calls that start in the same microsecond are ordered by their ids
-- (`is_after_parent`).
--
-- Tokens are added up between two of `price_dates` and two of `prompt_sizes` (price_boundaries.sql), where all calls cost
-- the same, before they are priced.
WITH
sums AS
(
    SELECT
        call.trace_id AS call_key,
        used.model AS model,
        roundDown(call.started_us, {price_dates:Array(Int64)}) AS period_us,
        roundDown(toInt64(used.counters[2]) - 1, {prompt_sizes:Array(Int64)}) AS prompt_size,
        countIf(call.parent = 0 AND position < 2) AS roots,
        max(call.is_deleted OR call.parent != 0
            AND (above.key = 0 OR above.started_us + 1 - call.is_after_parent > call.started_us)) AS needs_tree_walk,
        max(call.is_rolled_up) AS is_rolled_up,
        countIf(position < 2) AS calls,
        groupArrayIf(call.open_id, call.open_id != '\xFF' AND position < 2) AS unfinished_call_ids,
        sumForEach(CAST(used.counters, 'Array(UInt128)')) AS counters
    FROM
    (
        SELECT *
        FROM calls FINAL
        WHERE project_id = {project_id:String}
            AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
    ) AS call
    LEFT ANY JOIN
    (
        SELECT key, started_us
        FROM calls FINAL
        WHERE project_id = {project_id:String}
            AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
    ) AS above ON above.key = call.parent
    LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
    GROUP BY call_key, model, period_us, prompt_size
)
-- The price of a call is chosen as Weave ranks them: one in force before a future one, the project's before a
-- default one, then the latest, or of future ones the earliest; of equal ones that for the largest prompts, then the
-- one made last. Prices learned for another name of a model (alias_of) come after all others.
SELECT
    call_key,
    roots,
    needs_tree_walk,
    is_rolled_up,
    model,
    calls,
    unfinished_call_ids,
    counters,
    price.id AS price_id,
    toDecimal256(counters[7], 0) * prompt_token_cost
        + toDecimal256(counters[5], 0) * ifNull(cache_read_input_token_cost, prompt_token_cost)
        + toDecimal256(counters[6], 0) * ifNull(cache_creation_input_token_cost, prompt_token_cost) AS prompt_cost,
    toDecimal256(counters[3], 0) * completion_token_cost AS completion_cost
FROM sums
LEFT JOIN
(
    SELECT
        id,
        llm_id,
        pricing_level,
        alias_of,
        toUnixTimestamp64Micro(effective_date) AS from_us,
        prompt_tokens_above,
        created_at,
        prompt_token_cost,
        completion_token_cost,
        cache_read_input_token_cost,
        cache_creation_input_token_cost
    FROM llm_token_prices FINAL
    WHERE {include_costs:Bool}
        AND (pricing_level, pricing_level_id) IN (('default', 'default'), ('project', {project_id:String}))
) AS price ON price.llm_id = sums.model AND price.prompt_tokens_above <= sums.prompt_size
ORDER BY
    alias_of = '' DESC,
    from_us <= period_us DESC,
    pricing_level DESC,
    if(from_us <= period_us, from_us, -from_us) DESC,
    prompt_tokens_above DESC,
    created_at DESC,
    price.id DESC
LIMIT 1 BY call_key, model, period_us, prompt_size
SETTINGS join_use_nulls = 0
