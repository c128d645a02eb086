-- For each of `call_ids`: tokens and costs per model of the calls to which it is the nearest of them, itself
-- included. A row a (requested call, model, price), with an empty `model` for calls that used none. The row that holds
-- the requested call itself says so in `is_present` and has in `ancestor_key` the key of the requested call in whose
-- subtree it stands: src/usage/roll-up.ts adds the sums up along these links. Without such a row the requested call is
-- unknown or deleted.
--
-- Trees are walked by pointer jumping (docs/decisions/0001-pointer-jumping.md): every call points at its parent;
-- each step of the recursion lets it point where its target points, until it points at a requested call or falls
-- off the tree. The rows are read once and log2(depth) steps do; a step per level would take 3 to 4 ms each.
-- Cycles without a requested call never settle, hence `last_step`.
--
-- `trace_ids` are the traces of `call_ids`, one by one. Tokens are added up between two of `price_dates` and two of
-- `prompt_sizes` (price_boundaries.sql), where all calls cost the same, before they are priced.
WITH RECURSIVE
arrayMap(
    (trace_id, id) -> reinterpretAsUInt128(sipHash128(trace_id, id)),
    {trace_ids:Array(String)},
    {call_ids:Array(String)}) AS requested_keys,
jump AS
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
        FROM calls FINAL
        WHERE project_id = {project_id:String}
            AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
            AND NOT is_deleted
    )
    WHERE parent != 0 OR is_requested

    UNION ALL

    SELECT
        call.key,
        above.target AS target,
        call.is_requested,
        above.is_settled AS is_settled,
        call.step + 1,
        call.last_step,
        max(NOT is_settled AND target != 0) OVER () AS is_moving,
        call.is_rolled_up,
        call.open_id,
        call.started_us,
        call.usage
    FROM jump AS call
    LEFT ANY JOIN
    (
        SELECT key, if(is_requested, key, target) AS target, is_requested OR is_settled AS is_settled
        FROM jump
    ) AS above ON above.key = call.target
    WHERE call.is_moving
        AND call.step < call.last_step
        AND (above.target != 0 OR call.is_requested)
),
-- Each call with its own usage. Of a rolled-up call, whose SDK has added its children's usage to its own, that is what
-- is left without what its rolled-up children stored; deleted children are among them, since their tokens are inside
-- the parent's number. Where any difference is negative, a child ran elsewhere and was never added, and what is stored
-- is the call's own. A call that is its own parent is not its own child.
own_calls AS
(
    SELECT
        call.key AS key,
        call.target AS target,
        call.is_requested AS is_requested,
        call.open_id AS open_id,
        call.started_us AS started_us,
        below.deleted_open_ids AS deleted_open_ids,
        arrayMap(
            used -> (
                used.model,
                arrayMap(
                    (n, m) -> toInt128(n) - m,
                    arraySlice(used.counters, 1, 6),
                    arrayResize(below.usage[used.model], 6))
            ),
            if(call.is_rolled_up, call.usage, [])) AS rest,
        if(
            call.is_rolled_up
                AND notEmpty(below.usage)
                AND hasAll(call.usage.model, mapKeys(below.usage))
                AND NOT arrayExists(used -> arrayMin(used.2) < 0, rest),
            CAST(
                arrayMap(
                    used -> (
                        used.1,
                        arrayPushBack(
                            used.2,
                            if(used.2[2] < used.2[5] + used.2[6], used.2[2], used.2[2] - used.2[5] - used.2[6]))
                    ),
                    rest),
                'Array(Tuple(model String, counters Array(UInt64)))'),
            call.usage) AS usage
    FROM jump AS call
    LEFT ANY JOIN
    (
        SELECT
            parent,
            sumForEachMap(CAST(usage, 'Map(String, Array(Int128))')) AS usage,
            groupArrayIf(open_id, is_deleted AND open_id NOT IN ('', '\xFF')) AS deleted_open_ids
        FROM calls FINAL
        WHERE project_id = {project_id:String}
            AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
            AND is_rolled_up
            AND parent NOT IN (0, key)
        GROUP BY parent
    ) AS below ON below.parent = call.key
    WHERE (NOT call.is_moving OR call.step = call.last_step)
        AND (call.is_settled OR call.is_requested)
),
sums AS
(
    SELECT
        if(is_requested, key, target) AS call_key,
        used.model AS model,
        roundDown(started_us, {price_dates:Array(Int64)}) AS period_us,
        roundDown(toInt64(used.counters[2]) - 1, {prompt_sizes:Array(Int64)}) AS prompt_size,
        transform(call_key, requested_keys, {call_ids:Array(String)}, '') AS call_id,
        max(is_requested) AS is_present,
        maxIf(target, is_requested) AS ancestor_key,
        countIf(position < 2) AS calls,
        groupArrayIf(open_id, open_id != '\xFF' AND position < 2) AS unfinished_call_ids,
        groupArrayArrayIf(deleted_open_ids, position < 2) AS deleted_open_call_ids,
        sumForEach(CAST(used.counters, 'Array(UInt128)')) AS counters
    FROM own_calls
    LEFT ARRAY JOIN usage AS used, arrayEnumerate(usage) AS position
    GROUP BY call_key, model, period_us, prompt_size
)
-- The price of a call is chosen as Weave ranks them: one in force before a future one, the project's before a
-- default one, then the latest, or of future ones the earliest; of equal ones that for the largest prompts, then the
-- one made last. Prices learned for another name of a model (alias_of) come after all others.
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
