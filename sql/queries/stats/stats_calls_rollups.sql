-- How many calls of a project started in a window, how many of them failed and how long they took, from the rollups of their
-- traces? Rows as those of stats_calls.sql, with the traces that have to be read live, as in stats_usage_rollups.sql.
SELECT
    {include stats_group},
    sum(group_calls) AS calls,
    sum(group_errors) AS errors,
    sum(group_finished_calls) AS finished_calls,
    sum(group_latency_us) AS latency_us,
    CAST([], 'Array(Int64)') AS latencies_us,
    groupArrayIf({max_live_traces:UInt64})(trace_id, is_live) AS live_trace_ids
FROM
(
    SELECT
        trace_id,
        is_live,
        0 AS key,
        group.1 AS op_name,
        group.2 AS wb_user_id,
        group.3 AS thread_id,
        group.4 AS started_us,
        group.5 AS group_calls,
        group.6 AS group_errors,
        group.7 AS group_finished_calls,
        group.8 AS group_latency_us
    FROM
    (
        SELECT
            trace_id,
            is_live,
            arrayFilter(
                (group, state) -> state = 1 AND NOT is_live,
                arrayZip(
                    groups.op_name, groups.wb_user_id, groups.thread_id, groups.min_started_us,
                    groups.calls, groups.errors, groups.finished_calls, groups.latency_us),
                states) AS counted_groups
        FROM {include rolled_up_traces}
    )
    LEFT ARRAY JOIN counted_groups AS group, arrayEnumerate(counted_groups) AS position
    WHERE is_live OR position > 0
)
GROUP BY bucket_us, value_1, value_2
{include project_rollup_settings}
