-- The rollups of the traces whose only top call is one of `call_ids`, valid ones or not: trace_checksums.sql. They are
-- found by the projection `root_keys`.
SELECT
    trace_id,
    toString(checksum) AS checksum,
    root_id AS call_id,
    root_usage
FROM trace_rollups
WHERE project_id = {project_id:String}
    AND root_key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({call_ids:Array(String)}))))
    AND rules_version = {rules_version:UInt64}
    AND root_id != ''
