-- What did whole traces use, and what did it cost? One row per trace, model and price. This gives the same answer as
-- usage_tree_walk.sql in half the time, for the roots of traces as OpenTelemetry and REST clients send them: if every
-- call of a trace descends from its single root, and no usage is rolled up, then the flat sum of the trace is the
-- answer.
--
-- The rows report whether that is so, and src/usage/query-usage.ts uses another statement if it does not: if a trace
-- has not exactly one root (`roots`), or if `is_rolled_up` or `needs_tree_walk` is set.
--
-- Tokens are summed before they are priced, per interval between two neighbours of `price_dates` and of
-- `prompt_sizes` (price_boundaries.sql), in which all calls of a model have the same price.
WITH
{include calls_constants},
sums AS
(
    WITH position < 2 AS is_first_row
    SELECT
        call.trace_id AS call_key,
        used.model AS model,
        roundDown(call.started_us, {price_dates:Array(Int64)}) AS period_us,
        roundDown(toInt64(used.counters[prompt]) - 1, {prompt_sizes:Array(Int64)}) AS prompt_size,
        countIf(call.parent = 0 AND is_first_row) AS roots,
        max({include needs_tree_walk}) AS needs_tree_walk,
        max(call.is_rolled_up) AS is_rolled_up,
        countIf(is_first_row) AS calls,
        groupArrayIf(call.open_id, call.open_id != ended AND is_first_row) AS unfinished_call_ids,
        sumForEach(CAST(used.counters, 'Array(UInt128)')) AS counters
    {include from_calls_with_parents}
    GROUP BY call_key, model, period_us, prompt_size
)
-- Each sum gets the price that Weave would choose: prices in force before future ones, prices of the project before
-- default prices, then the latest price in force or the earliest future one, then the one for the largest prompts,
-- then the one created last. Prices that were resolved from an alias of the model (`alias_of`) come after all others.
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
    toDecimal256(counters[uncached_prompt], 0) * prompt_token_cost
        + toDecimal256(counters[cache_read], 0) * ifNull(cache_read_input_token_cost, prompt_token_cost)
        + toDecimal256(counters[cache_creation], 0)
            * ifNull(cache_creation_input_token_cost, prompt_token_cost) AS prompt_cost,
    toDecimal256(counters[completion], 0) * completion_token_cost AS completion_cost
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
        AND service_tier = '' AND empty(minutes_of_week)
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
