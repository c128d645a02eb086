-- The same as usage_flat_sum.sql for traces whose SDK adds the usage of a call's children to the call's own usage:
-- the usage of every child is subtracted from its parent again, at the start time of the parent. `needs_tree_walk` is
-- also set where a difference is negative: then the usage of a child was never added to its parent, and all of the
-- parent's usage is its own.
WITH
{include calls_constants},
-- One row for each call, and a second one with negative counters for its parent if both are rolled up.
signed_usage AS
(
    WITH position < 2 AS is_first_row
    SELECT
        call.trace_id AS trace_id,
        used.model AS model,
        if(sign > 0, call.key, call.parent) AS key,
        if(sign > 0, call.started_us, parent_call.started_us) AS started_us,
        call.parent = 0 AND is_first_row AS is_root,
        {include needs_tree_walk} AS needs_tree_walk,
        call.open_id AS open_id,
        sign > 0 AND is_first_row AS is_call,
        arrayMap(n -> toInt128(n) * sign, used.counters) AS counters
    {include from_calls_with_parents}
    ARRAY JOIN if(call.is_rolled_up AND parent_call.is_rolled_up, [1, -1], [1]) AS sign
),
own_usage AS
(
    SELECT
        any(trace_id) AS call_key,
        model,
        any(started_us) AS started_us,
        countIf(is_root) AS roots,
        max(needs_tree_walk) AS needs_tree_walk,
        countIf(is_call) AS calls,
        groupArrayIf(open_id, is_call AND open_id != ended) AS unfinished_call_ids,
        -- Without uncached_prompt: cached tokens have to be subtracted first.
        arraySlice(sumForEach(counters), requests, cache_creation) AS own,
        {include own_uncached_prompt} AS uncached
    FROM signed_usage
    GROUP BY key, model
),
sums AS
(
    SELECT
        call_key,
        model,
        roundDown(started_us, {price_dates:Array(Int64)}) AS period_us,
        roundDown(toInt64(own[prompt]) - 1, {prompt_sizes:Array(Int64)}) AS prompt_size,
        sum(roots) AS roots,
        max(needs_tree_walk OR arrayMin(own) < 0) AS needs_tree_walk,
        sum(calls) AS calls,
        groupArrayArray(unfinished_call_ids) AS unfinished_call_ids,
        sumForEach(arrayPushBack(own, uncached)) AS counters
    FROM own_usage
    GROUP BY call_key, model, period_us, prompt_size
)
-- Each sum gets the price that Weave would choose: prices in force before future ones, prices of the project before
-- default prices, then the latest price in force or the earliest future one, then the one for the largest prompts,
-- then the one created last. Prices that were resolved from an alias of the model (`alias_of`) come after all others.
SELECT
    call_key,
    roots,
    needs_tree_walk,
    0 AS is_rolled_up,
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
