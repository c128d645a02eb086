-- As calls_usage.sql, for traces in which no SDK adds children's usage to their parents', and projects without an
-- end that came before its start and without a trace id. `is_plain` says whether that is so; where it is not, the
-- rows are of no use. What is left out here takes ClickHouse about 40 ms to plan, more than a small page takes to
-- read (bench/page.ts), so src/usage asks this first.
WITH RECURSIVE
(
    SELECT CAST(
        (groupArray(key), groupArray(id), groupUniqArray(trace_id)),
        'Tuple(keys Array(UInt128), ids Array(String), traces Array(String))')
    FROM
    (
        SELECT
            known.trace_id AS trace_id,
            reinterpretAsUInt128(sipHash128(known.trace_id, named.id)) AS key,
            named.id AS id
        FROM (SELECT arrayJoin({call_ids:Array(String)}) AS id, reinterpretAsUInt128(sipHash128(id)) AS key) AS named
        INNER JOIN
        (
            SELECT key, trace_id
            FROM call_traces FINAL
            WHERE project_id = {project_id:String}
                AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({call_ids:Array(String)}))))
        ) AS known ON known.key = named.key
    )
) AS asked,
price_rows AS
(
    SELECT
        llm_id,
        pricing_level = 'project' AS is_project,
        toUnixTimestamp64Micro(effective_date) AS from_us,
        created_at,
        id,
        prompt_token_cost,
        completion_token_cost,
        ifNull(cache_read_input_token_cost, prompt_token_cost) AS cache_read_token_cost,
        ifNull(cache_creation_input_token_cost, prompt_token_cost) AS cache_creation_token_cost
    FROM llm_token_prices FINAL
    WHERE {include_costs:Bool}
        AND (pricing_level, pricing_level_id) IN (('default', 'default'), ('project', {project_id:String}))
),
-- Every moment at which a price changes: between two of them tokens are added up before they are priced.
(
    SELECT arrayPushFront(arraySort(groupUniqArray(from_us)), toInt64(-9223372036854775808))
    FROM price_rows
) AS price_dates,
jump AS
(
    SELECT
        key,
        parent AS target,
        key IN (SELECT arrayJoin(asked.keys)) AS is_asked,
        parent IN (SELECT arrayJoin(asked.keys)) AS is_settled,
        toUInt8(0) AS step,
        toUInt8(ceil(log2(count() OVER () + 1))) AS last_step,
        max(NOT is_settled AND target != 0) OVER () AS is_moving,
        is_rolled_up,
        open_id,
        started_at,
        usage
    FROM calls FINAL
    WHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin(asked.traces))
        AND has_start
        AND NOT is_deleted
        AND (parent != 0 OR is_asked)

    UNION ALL

    SELECT
        l.key,
        multiIf(r.key = 0, 0, r.is_asked, l.target, r.target) AS target,
        l.is_asked,
        l.is_settled OR r.is_settled OR r.is_asked AS is_settled,
        l.step + 1,
        l.last_step,
        max(NOT is_settled AND target != 0) OVER () AS is_moving,
        l.is_rolled_up,
        l.open_id,
        l.started_at,
        l.usage
    FROM jump AS l
    LEFT ANY JOIN (SELECT key, target, is_asked, is_settled FROM jump) AS r ON l.target = r.key
    WHERE l.is_moving
        AND l.step < l.last_step
        AND (r.key != 0 OR l.is_asked)
),
sums AS
(
    SELECT
        if(is_asked, key, target) AS call_key,
        transform(maxIf(key, is_asked), asked.keys, asked.ids, '') AS call_id,
        maxIf(target, is_asked) AS above_key,
        max(is_rolled_up) AS is_rolled_up,
        used.model AS model,
        roundDown(toUnixTimestamp64Micro(started_at), price_dates) AS period_us,
        countIf(position < 2) AS calls,
        groupArrayIf(open_id, open_id != '\xFF' AND position < 2) AS unfinished_call_ids,
        sum(toUInt128(used.requests)) AS requests,
        sum(toUInt128(used.prompt)) AS prompt,
        sum(toUInt128(used.completion)) AS completion,
        sum(toUInt128(used.total)) AS total,
        sum(toUInt128(used.cache_read)) AS cache_read,
        sum(toUInt128(used.cache_creation)) AS cache_creation,
        sum(toUInt128(if(
            used.prompt >= used.cache_read + used.cache_creation,
            used.prompt - used.cache_read - used.cache_creation,
            used.prompt))) AS uncached
    FROM jump
    LEFT ARRAY JOIN usage AS used, arrayEnumerate(usage) AS position
    WHERE (NOT is_moving OR step = last_step)
        AND (is_settled OR is_asked)
    GROUP BY call_key, model, period_us
)
-- The price of a call is chosen as Weave ranks them: one in force before a future one, the project's before a
-- default one, then the latest, or of future ones the earliest; of equal ones the one made last.
SELECT
    call_key,
    model,
    NOT any(is_rolled_up)
        AND (SELECT count() FROM (SELECT 1 FROM loose_ends WHERE project_id = {project_id:String} LIMIT 1)) = 0 AS is_plain,
    any(sums.call_id) AS call_id,
    any(sums.above_key) AS above_key,
    any(sums.calls) AS calls,
    any(sums.unfinished_call_ids) AS unfinished_call_ids,
    any(sums.requests) AS requests,
    any(sums.prompt) AS prompt_tokens,
    any(sums.completion) AS completion_tokens,
    any(sums.total) AS total_tokens,
    argMax(
        (
            toDecimal256(sums.uncached, 0) * prompt_token_cost
                + toDecimal256(sums.cache_read, 0) * cache_read_token_cost
                + toDecimal256(sums.cache_creation, 0) * cache_creation_token_cost,
            toDecimal256(sums.completion, 0) * completion_token_cost
        ),
        (
            from_us <= period_us,
            is_project,
            if(from_us <= period_us, from_us, -from_us),
            created_at,
            price_rows.id
        )) AS cost,
    if(max(price_rows.id) = '', NULL, cost.1) AS prompt_cost,
    if(max(price_rows.id) = '', NULL, cost.2) AS completion_cost
FROM sums
LEFT JOIN price_rows ON price_rows.llm_id = sums.model
GROUP BY call_key, model, period_us
SETTINGS join_use_nulls = 0
