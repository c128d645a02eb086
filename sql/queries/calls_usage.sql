-- For each of `call_ids`: tokens and costs per model of the calls to which it is the nearest of them, itself
-- included. A row a (requested call, model), with an empty `model` for calls that used none. The row that holds
-- the requested call itself has `is_there`, and in `above_call_id` the requested call in whose subtree it stands:
-- src/usage/add-up.ts adds the sums up along these links. Without such a row the call is unknown or deleted.
--
-- Trees are walked by pointer jumping (docs/decisions/0001-pointer-jumping.md): every call points at its parent;
-- each step of the recursion lets it point where its target points, until it points at a requested call or falls
-- off the tree. The rows are read once and log2(depth) steps do; a step per level would take 3 to 4 ms each.
-- Cycles without a requested call never settle, hence `last_step`.
--
-- What must be known before the rows are read, `asked` and `price_dates`, are scalars: ClickHouse evaluates
-- those once, but ordinary common table expressions again at each mention.
WITH RECURSIVE
(
    SELECT (groupArray(trace_id), groupArray(key), groupArray(id))
    FROM
    (
        SELECT trace_id, reinterpretAsUInt128(sipHash128(trace_id, id)) AS key, id
        FROM (SELECT arrayJoin({call_ids:Array(String)}) AS id, reinterpretAsUInt128(sipHash128(id)) AS id_key) AS named
        INNER JOIN
        (
            SELECT key AS id_key, trace_id
            FROM call_traces FINAL
            WHERE project_id = {project_id:String}
                AND id_key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({call_ids:Array(String)}))))
        ) AS known USING (id_key)
    )
) AS asked,
(SELECT count() > 0 FROM (SELECT 1 FROM loose_ends WHERE project_id = {project_id:String} LIMIT 1)) AS has_loose_ends,
price_rows AS
(
    SELECT
        llm_id,
        pricing_level = 'project' AS is_project,
        toUnixTimestamp64Micro(effective_date) AS from_us,
        created_at,
        id,
        CAST(
            (
                prompt_token_cost,
                completion_token_cost,
                ifNull(cache_read_input_token_cost, prompt_token_cost),
                ifNull(cache_creation_input_token_cost, prompt_token_cost)
            ),
            'Tuple(prompt Decimal(76, 30), completion Decimal(76, 30),
                cache_read Decimal(76, 30), cache_creation Decimal(76, 30))') AS price
    FROM llm_token_prices FINAL
    WHERE {include_costs:Bool}
        AND (pricing_level, pricing_level_id) IN (('default', 'default'), ('project', {project_id:String}))
),
-- Per model, its prices in the order in which they come into force. A project's row outdoes every default row
-- from its date on; before the first row's date the earliest of the project's rows applies, or of the default
-- ones where the project has none. Of rows with one date the one made last applies.
prices AS
(
    SELECT
        llm_id,
        if(empty(project_rows), default_rows, project_rows) AS first_rows,
        arrayConcat(
            arrayFilter(row -> empty(project_rows) OR row.1 < project_rows[1].1, default_rows),
            project_rows) AS rows_in_force,
        arrayPushFront(arrayMap(row -> row.1, rows_in_force), toInt64(-9223372036854775808)) AS from_us,
        arrayPushFront(
            arrayMap(row -> row.4, rows_in_force),
            first_rows[arrayLastIndex(row -> row.1 = first_rows[1].1, first_rows)].4) AS price_of_period
    FROM
    (
        SELECT
            llm_id,
            arraySort(groupArrayIf((from_us, created_at, id, price), is_project)) AS project_rows,
            arraySort(groupArrayIf((from_us, created_at, id, price), NOT is_project)) AS default_rows
        FROM price_rows
        GROUP BY llm_id
    )
),
-- Every moment at which the price of any model changes: between two of them tokens can be added up before they
-- are priced.
(
    SELECT arraySort(arrayPushFront(groupUniqArrayArray(from_us), toInt64(-9223372036854775808)))
    FROM (SELECT arrayPopFront(from_us) AS from_us FROM prices WHERE length(price_of_period) > 2)
) AS price_dates,
jump AS
(
    SELECT
        key,
        parent AS target,
        key IN (SELECT arrayJoin(asked.2)) AS is_asked,
        parent IN (SELECT arrayJoin(asked.2)) AS is_settled,
        toUInt8(0) AS step,
        toUInt8(ceil(log2(count() OVER () + 1))) AS last_step,
        max(NOT is_settled AND target != 0) OVER () AS is_moving,
        if(loose.key = 0, calls.open_id, '\xFF') AS open_id,
        started_at,
        if(loose.key = 0, calls.usage, loose.usage) AS usage
    FROM calls FINAL
    LEFT ANY JOIN
    (
        SELECT key, usage
        FROM loose_ends FINAL
        WHERE project_id = {project_id:String}
            AND key IN
            (
                SELECT reinterpretAsUInt128(sipHash128(open_id))
                FROM calls FINAL
                WHERE project_id = {project_id:String}
                    AND trace_id IN (SELECT arrayJoin(if(has_loose_ends, asked.1, [])))
                    AND open_id NOT IN ('', '\xFF')
            )
    ) AS loose ON loose.key = if(calls.open_id = '\xFF', 0, reinterpretAsUInt128(sipHash128(calls.open_id)))
    WHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin(asked.1))
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
        countIf(is_asked) AS is_there,
        maxIf(target, is_asked) AS above_key,
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
),
priced_sums AS
(
    SELECT
        sums.*,
        prices.llm_id = sums.model AND notEmpty(prices.from_us) AS is_priced,
        prices.price_of_period[arrayLastIndex(from_us -> from_us <= period_us, prices.from_us)] AS price
    FROM sums
    LEFT ANY JOIN prices ON prices.llm_id = sums.model
)
SELECT
    transform(call_key, asked.2, asked.3, '') AS call_id,
    transform(max(above_key), asked.2, asked.3, '') AS above_call_id,
    max(is_there) > 0 AS is_there,
    model,
    sum(requests) AS requests,
    sum(prompt) AS prompt_tokens,
    sum(completion) AS completion_tokens,
    sum(total) AS total_tokens,
    sumOrNullIf(
        toDecimal256(uncached, 0) * price.prompt
            + toDecimal256(cache_read, 0) * price.cache_read
            + toDecimal256(cache_creation, 0) * price.cache_creation,
        is_priced) AS prompt_cost,
    sumOrNullIf(toDecimal256(completion, 0) * price.completion, is_priced) AS completion_cost,
    sum(calls) AS calls,
    groupArrayArray(unfinished_call_ids) AS unfinished_call_ids
FROM priced_sums
GROUP BY call_key, model
SETTINGS join_use_nulls = 0
