-- Ids and display names of calls of the traces `trace_ids`, by their keys in merged_calls. Of other calls of the traces, only the ids
-- are read.
SELECT
    trace_id,
    id,
    toString(any(call_key)) AS key,
    max(display_name) AS display_name
FROM
(
    SELECT trace_id, id, display_name, kind, reinterpretAsUInt128(sipHash128(trace_id, id)) AS call_key
    FROM call_parts
    PREWHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
        AND call_key IN (SELECT toUInt128(arrayJoin({keys:Array(String)})))
)
WHERE kind IN ('start', 'whole')
GROUP BY trace_id, id
