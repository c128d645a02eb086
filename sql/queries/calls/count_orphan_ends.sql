-- How many ends without a trace id there are for `call_ids`.
SELECT count() AS loose_ends
FROM call_parts
WHERE project_id = {project_id:String}
    AND trace_id = ''
    AND id IN (SELECT arrayJoin({call_ids:Array(String)}))
