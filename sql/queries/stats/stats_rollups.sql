-- What did calls of a project use that started in a window, how many were they, how many failed and how long did they take,
-- from the rollups of their traces? Rows have the columns of stats_row.sql and of stats_calls.sql. A call is counted in one row,
-- whatever models it used. `live_trace_ids`: the traces that have to be read live; at most `max_live_traces` are listed.
--
-- `states` of groups: 0, no call of the group matches; 1, all do; 2, the trace has to be read live, because
-- - some calls of the group are in the window, in a bucket or in the class of a price, and others are not;
-- - usage depends on the top call: of the spans of a response, statistics count one of the whole trace.
WITH
    0 AS key,
    -- The smallest size, as price_class.sql computes it.
    min_size + 1 AS prompt,
    1 AS request_count
SELECT
    {include stats_group},
    model,
    service_tier,
    {include price_class},
    sumIf(group_entries, NOT is_live) AS entries,
    sumIf(group_known_entries, NOT is_live) AS known_entries,
    sumForEachIf(group_counters, NOT is_live) AS counters,
    CAST([], 'Array(Array(Int64))') AS values,
    sumIf(group_calls, NOT is_live) AS calls,
    sumIf(group_errors, NOT is_live) AS errors,
    sumIf(group_finished_calls, NOT is_live) AS finished_calls,
    sumIf(group_latency_us, NOT is_live) AS latency_us,
    CAST([], 'Array(Int64)') AS latencies_us,
    groupArrayIf({max_live_traces:UInt64})(trace_id, is_live) AS live_trace_ids
FROM
(
    SELECT
        trace_id, groups.op_name, groups.wb_user_id, groups.thread_id, groups.min_started_us, groups.model, groups.service_tier,
        groups.min_prompt_size, groups.entries, groups.known_entries, groups.counters, groups.calls, groups.errors,
        groups.finished_calls, groups.latency_us,
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
        rules_version = 0 OR has(states, 2) AS is_live
    {include from_project_rollups}
)
LEFT ARRAY JOIN
    states AS state, arrayEnumerate(states) AS position,
    groups.op_name AS op_name, groups.wb_user_id AS wb_user_id, groups.thread_id AS thread_id, groups.min_started_us AS started_us,
    groups.model AS model, groups.service_tier AS service_tier, groups.min_prompt_size AS min_size,
    groups.entries AS group_entries, groups.known_entries AS group_known_entries, groups.counters AS group_counters,
    groups.calls AS group_calls, groups.errors AS group_errors, groups.finished_calls AS group_finished_calls,
    groups.latency_us AS group_latency_us
-- Of a live trace one row is kept, which counts nothing.
WHERE if(is_live, position <= 1, state = 1)
GROUP BY bucket_us, value_1, value_2, model, service_tier, period_us, prompt_size, minute_of_week
{include project_rollup_settings}
