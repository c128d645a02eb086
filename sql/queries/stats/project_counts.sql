-- How many calls and traces each of `project_ids` has, and when its last call started; deleted calls do not count. Of a
-- project without calls there is no row. With `has_trace_ids`, only the traces `trace_ids`, each of the project at its place in
-- `trace_projects`, are counted.
SELECT
    project_id,
    count() AS calls,
    uniqExact(trace_id) AS traces,
    max(started_us) AS last_started_us
FROM merged_calls FINAL
PREWHERE project_id IN (SELECT arrayJoin({project_ids:Array(String)}))
    AND (NOT {has_trace_ids:Bool} OR (project_id, trace_id) IN (
        SELECT arrayJoin(arrayZip({trace_projects:Array(String)}, {trace_ids:Array(String)}))))
WHERE NOT is_deleted AND {include has_start}
GROUP BY project_id
