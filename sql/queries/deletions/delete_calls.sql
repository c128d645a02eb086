-- Marks `call_ids` and all their descendants as deleted: inserts a part of kind 'deletion' for each of them.
-- Descendants of calls that were deleted before are included.
INSERT INTO call_parts (project_id, id, kind, trace_id)
{include walk_to_delete}
SELECT DISTINCT {project_id:String}, id, 'deletion', trace_id
FROM call_parts
WHERE project_id = {project_id:String}
    AND trace_id IN (SELECT arrayJoin(requested_trace_ids))
    AND kind IN ('start', 'whole')
    AND reinterpretAsUInt128(sipHash128(trace_id, id)) GLOBAL IN (SELECT key FROM calls_to_delete)
