-- The ends of the calls `call_ids` that are stored without a trace id.
FROM call_parts
WHERE project_id = {project_id:String}
    AND trace_id = ''
    AND id IN (SELECT arrayJoin({call_ids:Array(String)}))
