-- The same as usage_flat_sum.sql for usage that sums of what is stored do not say enough about, rolled up by an SDK or
-- not: each call's own usage is found, and the counting rules are applied to it. `counters` are those of `counts` in
-- counting_rules.sql.
WITH
{include usage_fields},
{include counting_fields},
-- Each call is in its own family and in that of its parent. `needs_tree_walk`: a call is deleted, a parent is missing, or a
-- call does not start after its parent, which every cycle would contain. Calls that start in the same microsecond are
-- ordered by their ids (`is_after_parent`).
families AS
(
    SELECT
        any(call.trace_id) AS call_key,
        maxIf(call.started_us, is_call) AS started_us,
        maxIf(call.ended_us, is_call) AS ended_us,
        maxIf(call.sdk_version, is_call) AS sdk_version,
        anyIf(call.usage, is_call) AS usage,
        if(
            maxIf(call.usage_mode, is_call) = 1,
            groupArrayIf(
                (call.ended_us, call.usage)::Tuple(ended_us Int64, usage Array(Tuple(
                    model String, counters Array(UInt64), service_tier String, facts UInt8))),
                NOT is_call AND call.usage_mode = 1 AND call.open_id = ended),
            []) AS children,
        countIf(is_call AND call.parent = 0) AS roots,
        max(call.usage_mode = 2) AS is_otel,
        max(call.is_deleted) OR NOT max(is_call)
            OR minIf(call.started_us + call.is_after_parent, NOT is_call) <= maxIf(call.started_us, is_call) AND min(is_call) = 0 AS needs_tree_walk,
        groupArrayIf(call.open_id, is_call AND call.open_id != ended) AS open_ids
    FROM
    (
        SELECT *
        {include from_requested_traces}
    ) AS call
    ARRAY JOIN if(call.parent = 0, [1], [1, 0]) AS is_call
    GROUP BY if(is_call, call.key, call.parent)
),
{include own_usage},
{include counting_rules},
counts[1][2] AS prompt,
counts[1][1] AS request_count
SELECT
    call_key,
    model,
    service_tier,
    {include price_class},
    sumIf(roots, is_first_row) AS roots,
    max(needs_tree_walk) AS needs_tree_walk,
    max(is_otel) AS is_otel,
    countIf(is_first_row) AS calls,
    groupArrayArrayIf(open_ids, is_first_row) AS unfinished_call_ids,
    sumForEach(CAST(counts[1], 'Array(UInt128)')) AS counters,
    {include double_counted}
FROM counted_usage
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
