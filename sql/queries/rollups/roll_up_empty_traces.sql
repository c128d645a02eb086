-- Stores the rollups of those of `trace_ids` in which no call counts: all are deleted, or have no start yet. They have nothing but
-- their checksum, so that answers about a project do not have to read these traces.
INSERT INTO trace_rollups (project_id, trace_id, rules_version, checksum)
SELECT
    -- An alias of the name of the column would replace it in the condition below.
    {project_id:String},
    trace_id,
    {rules_version:UInt64},
    sum(checksum) AS stored_checksum
{include from_requested_traces}
GROUP BY trace_id
HAVING countIf(NOT is_deleted AND {include has_start}) = 0
    AND (trace_id, toString(stored_checksum)) IN (
        SELECT arrayJoin(arrayZip({trace_ids:Array(String)}, {checksums:Array(String)})))
