-- Which traces that have rows in the parts `parts` of merged_calls have no valid rollup? In the order of the table, after
-- (`after_project`, `after_trace`), at most `max_traces`. `rows` is about the number of calls: calls that are not merged yet
-- count several times. Rollups are read of these traces only, however many there are.
WITH traces AS
(
    SELECT project_id, trace_id, sum(checksum) AS checksum, count() AS rows
    FROM merged_calls
    WHERE (project_id, trace_id) > ({after_project:String}, {after_trace:String})
        AND (project_id, trace_id) IN (
            SELECT project_id, trace_id
            FROM merged_calls
            WHERE _part IN (SELECT arrayJoin({parts:Array(String)}))
            GROUP BY project_id, trace_id)
    GROUP BY project_id, trace_id
)
SELECT project_id, trace_id, checksum, rows
FROM traces
WHERE (project_id, trace_id, checksum) NOT IN (
    SELECT project_id, trace_id, checksum
    FROM trace_rollups
    WHERE rules_version = {rules_version:UInt64}
        AND (project_id, trace_id) IN (SELECT project_id, trace_id FROM traces))
ORDER BY project_id, trace_id
LIMIT {max_traces:UInt32}
