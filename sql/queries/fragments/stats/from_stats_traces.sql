-- The calls of a project, or of its traces `trace_ids`.
FROM merged_calls FINAL
PREWHERE project_id = {project_id:String}
    AND (NOT {has_trace_ids:Bool} OR trace_id IN (SELECT arrayJoin({trace_ids:Array(String)})))
