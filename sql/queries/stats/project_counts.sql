-- How many calls and traces each of `project_ids` has, and when its last call started; deleted calls do not count. Of a
-- project without calls there is no row.
SELECT
    project_id,
    count() AS calls,
    uniqExact(trace_id) AS traces,
    max(started_us) AS last_started_us
FROM merged_calls FINAL
PREWHERE project_id IN (SELECT arrayJoin({project_ids:Array(String)}))
WHERE NOT is_deleted AND {include has_start}
GROUP BY project_id
