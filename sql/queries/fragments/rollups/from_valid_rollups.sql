-- The rollups of those of `trace_ids` with their checksum of `checksums`; the same one may be stored twice.
FROM trace_rollups
WHERE project_id = {project_id:String}
    AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
    AND rules_version = {rules_version:UInt64}
    AND (trace_id, toString(checksum)) IN (
        SELECT arrayJoin(arrayZip({trace_ids:Array(String)}, {checksums:Array(String)})))
