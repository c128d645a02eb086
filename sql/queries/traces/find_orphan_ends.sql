-- Which unfinished calls of the valid rollups of a window have an orphan end? Rollups do not know it: such an end is in no trace.
-- Where it has been attached, the rollup is not valid any more, so it is not found again. GLOBAL: on a cluster it is on
-- another shard than the rollup.
SELECT DISTINCT id AS call_id
FROM call_parts
WHERE project_id = {project_id:String}
    AND trace_id = ''
    AND id GLOBAL IN (
        SELECT arrayJoin(arrayConcat(
            arrayFlatten(groups.unfinished_call_ids), arrayFlatten(groups.deleted_open_call_ids)))
        {include from_project_rollups}
        WHERE tops.started_us[1] >= {start_us:Int64} AND tops.started_us[1] < {end_us:Int64})
{include project_rollup_settings}
