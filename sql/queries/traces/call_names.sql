-- Ids and display names of calls of the traces `trace_ids`, by their keys in merged_calls.
SELECT
    trace_id,
    id,
    toString(reinterpretAsUInt128(sipHash128(trace_id, id))) AS key,
    max(display_name) AS display_name
FROM call_parts
WHERE project_id = {project_id:String}
    AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
    AND kind IN ('start', 'whole')
    AND key IN (SELECT arrayJoin({keys:Array(String)}))
GROUP BY trace_id, id
