-- The traces of a project with their rollups. `states` of groups for a request for statistics: 0, no call of the group matches;
-- 1, all do; 2, the trace has to be read live, because
-- - some calls of the group are in the window, in a bucket or in the class of a price, and others are not;
-- - usage depends on the top call: of the spans of a response, statistics count one of the whole trace.
(
    SELECT
        *,
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
