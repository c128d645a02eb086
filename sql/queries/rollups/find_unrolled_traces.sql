-- Which of `trace_ids` have no rollup with their checksum of `checksums`?
SELECT trace_id
FROM (SELECT arrayJoin(arrayZip({trace_ids:Array(String)}, {checksums:Array(String)})) AS trace, trace.1 AS trace_id)
WHERE trace NOT IN (
    SELECT trace_id, toString(checksum)
    FROM trace_rollups
    WHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
        AND rules_version = {rules_version:UInt64})
