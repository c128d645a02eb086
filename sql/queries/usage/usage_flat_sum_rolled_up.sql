-- The same as usage_flat_sum.sql for traces whose SDK adds the usage of a call's children to the call's own usage: the
-- usage of those children that the SDK has added is subtracted again. Which they are, and when sums do not say enough:
-- own_usage.sql and raw_sums.sql.
WITH
{include usage_fields},
-- One row for each call and model; usage that was added to a parent is in the parent's row as well.
own_usage AS
(
    WITH
        position < 2 AS is_first_row,
        call.usage_mode = 1 AND parent_call.usage_mode = 1
            AND call.open_id = ended AND call.ended_us <= parent_call.ended_us
            AND (call.total <= parent_call.total OR parent_call.total = 0) AS is_added
    SELECT
        any(call.trace_id) AS call_key,
        used.model AS model,
        anyIf(used.service_tier, is_call) AS service_tier,
        any(if(is_call, call.started_us, parent_call.started_us)) AS started_us,
        countIf(is_call AND call.parent = 0 AND is_first_row) AS roots,
        {include is_out_of_order},
        groupBitOr(call.usage_mode) AS usage_modes,
        maxIf(used.facts, is_call) AS facts,
        maxIf(call.sdk_version, is_call) AS sdk_version,
        countIf(is_call AND is_first_row) AS calls,
        groupArrayIf(call.open_id, is_call AND is_first_row AND call.open_id != ended) AS unfinished_call_ids,
        sumForEachIf(used.counters, is_call) AS stored,
        sumForEachIf(CAST(used.counters, 'Array(UInt128)'), NOT is_call) AS added
    FROM
    (
        SELECT *, {include plain_total} AS total
        {include from_requested_traces}
    ) AS call
    -- A second scan, because ClickHouse does not reuse the result of a subquery; without a parent its columns are 0.
    LEFT ANY JOIN
    (
        SELECT key, started_us, ended_us, usage_mode, {include plain_total} AS total
        {include from_requested_traces}
    ) AS parent_call ON parent_call.key = call.parent
    LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
    ARRAY JOIN if(is_added, [1, 0], [1]) AS is_call
    GROUP BY if(is_call, call.key, call.parent), model
    HAVING max(is_call)
),
rest_usage AS
(
    SELECT
        *,
        arrayMap((n, of_children) -> toUInt64(n - least(n, of_children)), stored, arrayResize(added, length(stored))) AS own
    FROM own_usage
),
own[prompt_tokens] + own[input_tokens] AS prompt,
own[requests] AS request_count
SELECT
    call_key,
    model,
    service_tier,
    {include price_class},
    sum(roots) AS roots,
    max(needs_tree_walk) AS needs_tree_walk,
    bitAnd(groupBitOr(usage_modes), 2) AS usage_modes,
    groupBitOr(facts) AS facts,
    max(sdk_version BETWEEN 1 AND last_native_sdk) AS is_native_sdk,
    max(arrayExists(fields -> {include has_excess}, [stored, own])) AS has_excess,
    sum(calls) AS calls,
    groupArrayArray(unfinished_call_ids) AS unfinished_call_ids,
    sumForEach(CAST(own, 'Array(UInt128)')) AS counters,
    maxForEach(stored) AS stored_counters
FROM rest_usage
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
