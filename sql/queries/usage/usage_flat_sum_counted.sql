-- The same as usage_flat_sum.sql for usage that sums of what is stored do not say enough about, rolled up by an SDK or
-- not: each call's own usage is found, and the counting rules are applied to it. `counters` are those of `counts` in
-- counting_rules.sql.
WITH
{include usage_fields},
{include counting_fields},
{include flat_families},
{include own_usage},
{include counting_rules},
counts[1][2] AS prompt,
counts[1][1] AS request_count
SELECT
    trace_id AS call_key,
    model,
    service_tier,
    {include price_class},
    sumIf(roots, is_first_row) AS roots,
    max(needs_tree_walk) AS needs_tree_walk,
    max(is_otel) AS is_otel,
    countIf(is_first_row) AS calls,
    groupArrayIf(open_id, open_id != ended AND is_first_row) AS unfinished_call_ids,
    sumForEach(CAST(counts[1], 'Array(UInt128)')) AS counters,
    {include double_counted}
FROM counted_usage
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
