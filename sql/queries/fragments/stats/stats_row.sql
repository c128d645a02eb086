-- Rows of statistics from `counted_usage`: usage without that of other calls, by bucket, group, model and price class. Usage
-- of which nothing is left is no entry. `known_entries` lack those of which nobody knows what they used.
--
-- `values` has of each entry requests, prompt, completion, total, cache_read and cache_write, for what sums do not answer.
-- Without `with_values` ClickHouse drops it from the plan, see double_counted.sql.
SELECT
    bucket_us,
    value_1,
    value_2,
    model,
    service_tier,
    {include price_class},
    {include usage_entries},
    sumForEach(CAST(counts[1], 'Array(UInt128)')) AS counters,
    if(
        {with_values:Bool},
        groupArray([
            request_count, prompt, counts[1][3], total, counts[1][5], toInt64(counts[1][6] + counts[1][7])]),
        CAST([], 'Array(Array(Int64))')) AS values
FROM counted_usage
WHERE request_count + total > 0
GROUP BY bucket_us, value_1, value_2, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
