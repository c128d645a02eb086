-- What did calls of a project use that started in a window, how many were they, how many failed and how long did they take,
-- from the rollups of their traces? Rows have the columns of stats_row.sql and of stats_calls.sql. A call is counted in one row,
-- whatever models it used. `live_trace_ids`: the traces that have to be read live; at most `max_live_traces` are listed.
--
-- `states` of groups: 0, no call of the group matches; 1, all do; 2, the trace has to be read live, because
-- - some calls of the group are in the window, in a bucket or in the class of a price, and others are not;
-- - usage depends on the top call: of the spans of a response, statistics count one of the whole trace.
WITH
    0 AS key,
    group.1 AS op_name,
    group.2 AS wb_user_id,
    group.3 AS thread_id,
    group.4 AS started_us,
    group.5 AS model,
    group.6 AS service_tier,
    -- The smallest size, as price_class.sql computes it.
    group.7 + 1 AS prompt,
    1 AS request_count
SELECT
    {include stats_group},
    model,
    service_tier,
    {include price_class},
    sum(group.8) AS entries,
    sum(group.9) AS known_entries,
    sumForEach(group.10) AS counters,
    CAST([], 'Array(Array(Int64))') AS values,
    sum(group.11) AS calls,
    sum(group.12) AS errors,
    sum(group.13) AS finished_calls,
    sum(group.14) AS latency_us,
    CAST([], 'Array(Int64)') AS latencies_us,
    groupArrayIf({max_live_traces:UInt64})(trace_id, is_live) AS live_trace_ids
FROM
(
    SELECT
        trace_id,
        arrayMap(
            (op_name, wb_user_id, thread_id, started_us, max_us, min_size, max_size) -> multiIf(
                started_us >= {end_us:Int64} OR max_us < {start_us:Int64} OR NOT ({include stats_names}), 0,
                depends_on_top, 2,
                started_us < {start_us:Int64} OR max_us >= {end_us:Int64}, 2,
                roundDown(started_us, {bucket_starts:Array(Int64)}) != roundDown(max_us, {bucket_starts:Array(Int64)}), 2,
                roundDown(started_us, {price_dates:Array(Int64)}) != roundDown(max_us, {price_dates:Array(Int64)}), 2,
                roundDown(min_size, {prompt_sizes:Array(Int64)}) != roundDown(max_size, {prompt_sizes:Array(Int64)}), 2,
                1),
            groups.op_name, groups.wb_user_id, groups.thread_id,
            groups.min_started_us, groups.max_started_us,
            groups.min_prompt_size, groups.max_prompt_size) AS states,
        rules_version = 0 OR has(states, 2) AS is_live,
        arrayFilter(
            (group, state) -> state = 1 AND NOT is_live,
            arrayZip(
                groups.op_name, groups.wb_user_id, groups.thread_id, groups.min_started_us,
                groups.model, groups.service_tier, groups.min_prompt_size,
                groups.entries, groups.known_entries, groups.counters,
                groups.calls, groups.errors, groups.finished_calls, groups.latency_us),
            states) AS counted_groups
    {include from_project_rollups}
)
LEFT ARRAY JOIN counted_groups AS group
WHERE is_live OR notEmpty(counted_groups)
GROUP BY bucket_us, value_1, value_2, model, service_tier, period_us, prompt_size, minute_of_week
{include project_rollup_settings}
