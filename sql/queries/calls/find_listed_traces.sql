-- In which traces of a project may the next calls of a list be, by start? From rollups: with `max_calls` calls that certainly are
-- in the list, no later one can be among these. Traces without a valid rollup may have any calls. `is_all` says that other
-- traces have no call of the list at all.
WITH
    -- Positions of the call behind which the list goes on are in the order of the list, as `sort_us` in list_calls.sql.
    if({is_continued:Bool}, {after_us:Int64}, -9223372036854775808) AS from_us,
    if(
        {trace_roots_only:Bool},
        arrayMap(
            (us, is_root, op_name, wb_user_id, thread_id) -> (us, us, toUInt64(is_root), op_name, wb_user_id, thread_id),
            tops.started_us, tops.is_root, tops.op_name, tops.wb_user_id, tops.thread_id),
        arrayZip(
            groups.min_started_us, groups.max_started_us, groups.calls,
            groups.op_name, groups.wb_user_id, groups.thread_id)
    ) AS entries,
    arrayFilter(
        entry -> entry.3 > 0 AND entry.5 >= from_us AND entry.6,
        arrayMap(
            (min_us, max_us, calls, op_name, wb_user_id, thread_id) -> (
                min_us,
                max_us,
                calls,
                if({direction:Int8} > 0, min_us, -max_us),
                if({direction:Int8} > 0, max_us, -min_us),
                ({include stats_names})
                    AND arrayExists(
                        (start_from, start_to) -> min_us < start_to AND max_us >= start_from,
                        {start_from:Array(Int64)},
                        {start_to:Array(Int64)})
            ),
            entries)
    ) AS possible,
    arrayFilter(
        entry -> entry.4 > from_us AND arrayExists(
            (start_from, start_to) -> entry.1 >= start_from AND entry.2 < start_to,
            {start_from:Array(Int64)},
            {start_to:Array(Int64)}),
        possible
    ) AS certain
SELECT
    trace_id,
    last_us = 9223372036854775807 AS is_all
FROM
(
    SELECT
        trace_id,
        first_us,
        min(if(calls_until >= {max_calls:UInt64} + {offset:UInt64}, certain_us, 9223372036854775807)) OVER () AS last_us
    FROM
    (
        SELECT
            trace_id,
            first_us,
            certain_us,
            sum(certain_calls) OVER (ORDER BY certain_us ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS calls_until
        FROM
        (
            SELECT
                trace_id,
                if(rules_version = 0, -9223372036854775808, arrayMin(entry -> entry.4, possible)) AS first_us,
                arraySum(entry -> entry.3, certain) AS certain_calls,
                if(empty(certain), 9223372036854775807, arrayMax(entry -> entry.5, certain)) AS certain_us
            {include from_project_rollups}
            WHERE rules_version = 0 OR notEmpty(possible)
        )
    )
)
WHERE first_us <= last_us
LIMIT {max_traces:UInt64}
{include project_rollup_settings}
