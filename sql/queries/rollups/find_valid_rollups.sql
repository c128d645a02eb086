-- Which traces have a valid rollup of `rules_version`? In the order of the table, after (`after_project`, `after_trace`), at
-- most `max_traces`. `rows` is about the number of calls.
SELECT project_id, trace_id, checksum, rows
FROM
(
    SELECT project_id, trace_id, sum(checksum) AS checksum, count() AS rows
    FROM merged_calls
    WHERE (project_id, trace_id) > ({after_project:String}, {after_trace:String})
    GROUP BY project_id, trace_id
)
WHERE (project_id, trace_id, checksum) IN (
    SELECT project_id, trace_id, checksum
    FROM trace_rollups
    WHERE rules_version = {rules_version:UInt64}
        AND (project_id, trace_id) > ({after_project:String}, {after_trace:String}))
ORDER BY project_id, trace_id
LIMIT {max_traces:UInt32}
