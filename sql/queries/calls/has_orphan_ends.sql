-- Does a project have ends that are stored without a trace id? Most have none. One row if so.
SELECT 1 AS has_orphan_ends
FROM call_parts
WHERE project_id = {project_id:String}
    AND trace_id = ''
LIMIT 1
