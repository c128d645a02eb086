-- What did each of `call_ids` and its descendants use, and what did it cost? One row per requested call, model and
-- price, with an empty `model` for calls without usage. Each call is counted for its nearest requested ancestor only,
-- itself included. The rows of a requested call with `is_present` contain the call itself, and their `ancestor_key`
-- is the key of its own nearest requested ancestor: src/usage/roll-up.ts adds the sums up along these links. A
-- requested call without such a row is unknown or deleted.
--
-- Trees are walked by pointer jumping (docs/decisions/0001-pointer-jumping.md): at first every call points to its
-- parent; each step of the recursion lets it point to where its target points, until it points to a requested call or
-- falls off the tree. The rows are read once, and log2(depth) steps are enough; with one step per level, each level
-- would take 3 to 4 ms. Cycles without a requested call never settle, hence `last_step`.
--
-- trace_ids[n] is the trace of call_ids[n]. Tokens are summed before they are priced, per interval between two
-- neighbours of `price_dates` and of `prompt_sizes` (price_boundaries.sql), in which all calls of a model have the
-- same price.
WITH RECURSIVE
{include calls_constants},
arrayMap(
    (trace_id, id) -> reinterpretAsUInt128(sipHash128(trace_id, id)),
    {trace_ids:Array(String)},
    {call_ids:Array(String)}) AS requested_keys,
pointers AS
(
    SELECT
        key,
        parent AS target,
        key IN (SELECT arrayJoin(requested_keys)) AS is_requested,
        parent IN (SELECT arrayJoin(requested_keys)) AS is_settled,
        toUInt8(0) AS step,
        toUInt8(ceil(log2(count() OVER () + 1))) AS last_step,
        max(NOT is_settled AND target != 0) OVER () AS is_moving,
        is_rolled_up,
        open_id,
        started_us,
        usage
    FROM
    (
        SELECT *
        {include from_requested_traces}
            AND NOT is_deleted
    )
    WHERE parent != 0 OR is_requested

    UNION ALL

    SELECT
        call.key,
        next.target AS target,
        call.is_requested,
        next.is_settled AS is_settled,
        call.step + 1,
        call.last_step,
        max(NOT is_settled AND target != 0) OVER () AS is_moving,
        call.is_rolled_up,
        call.open_id,
        call.started_us,
        call.usage
    FROM pointers AS call
    LEFT ANY JOIN
    (
        SELECT key, if(is_requested, key, target) AS target, is_requested OR is_settled AS is_settled
        FROM pointers
    ) AS next ON next.key = call.target
    WHERE call.is_moving
        AND call.step < call.last_step
        AND (next.target != 0 OR call.is_requested)
),
-- Each call with its own usage. The SDK has added the usage of rolled-up children to a rolled-up call, so theirs is
-- subtracted from it; deleted children count as well, since their tokens are included in the parent's number. If any
-- difference is negative, a child ran elsewhere and was never added, and all stored usage is the call's own. A call
-- that is its own parent is not its own child.
own_calls AS
(
    SELECT
        call.key AS key,
        call.target AS target,
        call.is_requested AS is_requested,
        call.open_id AS open_id,
        call.started_us AS started_us,
        children.deleted_open_ids AS deleted_open_ids,
        if(call.is_rolled_up, call.usage, []) AS rolled_up_usage,
        -- Without uncached_prompt: cached tokens have to be subtracted first.
        arrayMap(
            (model, counters) -> arrayMap(
                (stored, of_children) -> toInt128(stored) - of_children,
                arraySlice(counters, requests, cache_creation),
                arrayResize(children.usage[model], cache_creation)),
            rolled_up_usage.model,
            rolled_up_usage.counters) AS differences,
        if(
            call.is_rolled_up
                AND notEmpty(children.usage)
                AND hasAll(call.usage.model, mapKeys(children.usage))
                AND NOT arrayExists(own -> arrayMin(own) < 0, differences),
            CAST(
                arrayMap(
                    (model, own) -> (model, arrayPushBack(own, {include own_uncached_prompt})),
                    rolled_up_usage.model,
                    differences),
                'Array(Tuple(model String, counters Array(UInt64)))'),
            call.usage) AS usage
    FROM pointers AS call
    LEFT ANY JOIN
    (
        SELECT
            parent,
            sumForEachMap(CAST(usage, 'Map(String, Array(Int128))')) AS usage,
            groupArrayIf(open_id, is_deleted AND open_id NOT IN ('', ended)) AS deleted_open_ids
        {include from_requested_traces}
            AND is_rolled_up
            AND parent NOT IN (0, key)
        GROUP BY parent
    ) AS children ON children.parent = call.key
    WHERE (NOT call.is_moving OR call.step = call.last_step)
        AND (call.is_settled OR call.is_requested)
),
sums AS
(
    WITH position < 2 AS is_first_row
    SELECT
        if(is_requested, key, target) AS call_key,
        used.model AS model,
        roundDown(started_us, {price_dates:Array(Int64)}) AS period_us,
        roundDown(toInt64(used.counters[prompt]) - 1, {prompt_sizes:Array(Int64)}) AS prompt_size,
        transform(call_key, requested_keys, {call_ids:Array(String)}, '') AS call_id,
        max(is_requested) AS is_present,
        maxIf(target, is_requested) AS ancestor_key,
        countIf(is_first_row) AS calls,
        groupArrayIf(open_id, open_id != ended AND is_first_row) AS unfinished_call_ids,
        groupArrayArrayIf(deleted_open_ids, is_first_row) AS deleted_open_call_ids,
        sumForEach(CAST(used.counters, 'Array(UInt128)')) AS counters
    FROM own_calls
    LEFT ARRAY JOIN usage AS used, arrayEnumerate(usage) AS position
    GROUP BY call_key, model, period_us, prompt_size
)
-- Each sum gets the price that Weave would choose: prices in force before future ones, prices of the project before
-- default prices, then the latest price in force or the earliest future one, then the one for the largest prompts,
-- then the one created last. Prices that were resolved from an alias of the model (`alias_of`) come after all others.
SELECT
    call_key,
    call_id,
    is_present,
    ancestor_key,
    deleted_open_call_ids,
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
