-- Those of `trace_ids` whose root, which is the top call that started first, started in a window, and that match a filter: their
-- calls and top calls, read from the calls themselves. In a trace without top calls, all calls are members of cycles or below
-- some; it starts with the first one. `models` are not filtered: what was used is not known yet.
WITH
{include usage_fields}
SELECT
    *,
    sum(calls) OVER () AS all_calls
FROM
(
    SELECT
        trace_id,
        count() AS calls,
        countIf(has_error) AS errors,
        countIf(open_id != ended) AS unfinished_calls,
        groupArrayIf(open_id, open_id != ended) AS unfinished_call_ids,
        arraySort(groupUniqArrayIf(wb_user_id, wb_user_id != '')) AS user_ids,
        arraySort(groupUniqArrayIf(thread_id, thread_id != '')) AS threads,
        arraySort(groupArrayIf((started_us, key, ended_us, op_name, parent = 0, usage_mode = 1), is_top)) AS tops,
        tops[1].4 AS root_op_name,
        tops[1].2 AS root_key,
        if(empty(tops), min(started_us), tops[1].1) AS first_us
    FROM
    (
        SELECT
            *,
            {include is_top_call} AS is_top
        FROM
        (
            SELECT *
            {include from_requested_traces}
            WHERE NOT is_deleted AND {include has_start}
        )
    )
    GROUP BY trace_id
    HAVING first_us >= {start_us:Int64}
        AND first_us < {end_us:Int64}
        AND {include trace_filter}
)
