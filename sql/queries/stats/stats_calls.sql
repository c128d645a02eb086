-- How many calls started in a window, how many of them failed and how long they took, by bucket and group. `live_traces` is
-- the number of traces in all rows. A latency in microseconds is that of a call that has ended, and not before it started;
-- without `with_latencies` ClickHouse drops the list of all from the plan.
WITH
{include usage_fields},
{include has_latency}
SELECT
    * EXCEPT (traces),
    uniqExactMerge(traces) OVER () AS live_traces
FROM
(
    SELECT
        {include stats_group},
        count() AS calls,
        countIf(has_error) AS errors,
        countIf(has_latency) AS finished_calls,
        sumIf(toInt128(ended_us - started_us), has_latency) AS latency_us,
        if({with_latencies:Bool}, groupArrayIf(ended_us - started_us, has_latency), CAST([], 'Array(Int64)')) AS latencies_us,
        uniqExactState(trace_id) AS traces
    FROM
    (
        SELECT *
        {include from_stats_traces}
    )
    WHERE {include stats_window}
        AND {include stats_filter}
        AND (NOT {trace_roots_only:Bool} OR parent = 0)
    GROUP BY bucket_us, value_1, value_2
)
