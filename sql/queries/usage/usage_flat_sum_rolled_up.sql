-- As usage_flat_sum.sql, for traces whose SDK adds the usage of a call's children to the call's own before it sends
-- it: every child's usage is taken out of its parent's again, at the parent's time. `needs_tree_walk` also where a child's
-- was never added to its parent's, since then the whole of the parent's is its own.
WITH
-- Each call for itself, and if it is rolled up, as its parent is, once more for that, with its usage subtracted.
added AS
(
    SELECT
        call.trace_id AS trace_id,
        used.model AS model,
        if(sign > 0, call.key, call.parent) AS key,
        if(sign > 0, call.started_us, above.started_us) AS started_us,
        call.parent = 0 AND position < 2 AS is_root,
        call.is_deleted OR call.parent != 0
            AND (above.key = 0 OR above.started_us + 1 - call.is_after_parent > call.started_us) AS needs_tree_walk,
        call.open_id AS open_id,
        sign > 0 AND position < 2 AS is_call,
        arrayMap(n -> toInt128(n) * sign, used.counters) AS counters
    FROM
    (
        SELECT *
        FROM calls FINAL
        WHERE project_id = {project_id:String}
            AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
    ) AS call
    LEFT ANY JOIN
    (
        SELECT key, started_us, is_rolled_up
        FROM calls FINAL
        WHERE project_id = {project_id:String}
            AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
    ) AS above ON above.key = call.parent
    LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
    ARRAY JOIN if(call.is_rolled_up AND above.is_rolled_up, [1, -1], [1]) AS sign
),
owned AS
(
    SELECT
        any(trace_id) AS call_key,
        model,
        any(started_us) AS started_us,
        countIf(is_root) AS roots,
        max(needs_tree_walk) AS needs_tree_walk,
        countIf(is_call) AS calls,
        groupArrayIf(open_id, is_call AND open_id != '\xFF') AS unfinished_call_ids,
        arraySlice(sumForEach(counters), 1, 6) AS own,
        if(own[2] < own[5] + own[6], own[2], own[2] - own[5] - own[6]) AS uncached
    FROM added
    GROUP BY key, model
),
sums AS
(
    SELECT
        call_key,
        model,
        roundDown(started_us, {price_dates:Array(Int64)}) AS period_us,
        roundDown(toInt64(own[2]) - 1, {prompt_sizes:Array(Int64)}) AS prompt_size,
        sum(roots) AS roots,
        max(needs_tree_walk OR arrayMin(own) < 0) AS needs_tree_walk,
        sum(calls) AS calls,
        groupArrayArray(unfinished_call_ids) AS unfinished_call_ids,
        sumForEach(arrayPushBack(own, uncached)) AS counters
    FROM owned
    GROUP BY call_key, model, period_us, prompt_size
)
-- The price of a call is chosen as Weave ranks them: one in force before a future one, the project's before a
-- default one, then the latest, or of future ones the earliest; of equal ones that for the largest prompts, then the
-- one made last. Prices learned for another name of a model (alias_of) come after all others.
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
