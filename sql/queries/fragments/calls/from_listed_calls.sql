-- The calls of a project that match the filter of a list. `ranges` of times are alternatives: in each, a call starts in
-- [start_from, start_to); `states` says whether it matters if the call has ended (0 no, 1 it has, 2 it has not), and of one
-- that has, the end is in [end_from, end_to). Runs and turns are only in the parts of a call.
-- Without `has_times`, ClickHouse drops the condition and does not read the ends.
FROM
(
    SELECT *
    {include from_stats_traces}
)
WHERE {include stats_filter}
    AND (NOT {trace_roots_only:Bool} OR parent = 0)
    AND (NOT {has_times:Bool} OR arrayExists(
        (start_from, start_to, state, end_from, end_to) ->
            started_us >= start_from
            AND started_us < start_to
            AND (state = 0 OR (state = 1) = (open_id = ended))
            AND (state != 1 OR ended_us >= end_from AND ended_us < end_to),
        {start_from:Array(Int64)},
        {start_to:Array(Int64)},
        {states:Array(UInt8)},
        {end_from:Array(Int64)},
        {end_to:Array(Int64)}))
    AND (
        empty({wb_run_ids:Array(String)}) AND empty({turn_ids:Array(String)})
        OR key GLOBAL IN (
            SELECT reinterpretAsUInt128(sipHash128(trace_id, id))
            FROM call_parts
            WHERE project_id = {project_id:String}
                AND kind IN ('start', 'whole')
                AND (empty({wb_run_ids:Array(String)}) OR wb_run_id IN (SELECT arrayJoin({wb_run_ids:Array(String)})))
                AND (empty({turn_ids:Array(String)}) OR turn_id IN (SELECT arrayJoin({turn_ids:Array(String)}))))
    )
