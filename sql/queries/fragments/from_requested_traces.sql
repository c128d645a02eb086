-- The calls of the traces `trace_ids`, one row each.
FROM merged_calls FINAL
WHERE project_id = {project_id:String}
    AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
