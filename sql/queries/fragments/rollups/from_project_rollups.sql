-- The traces of a project, or those of `trace_ids`, each with its valid rollup; where there is none, the columns of the rollup
-- are empty, and its `rules_version` is 0. Only that says so: a trace without calls that count has a rollup without groups. One read of the sums decides for each trace, so none is missing, and none is answered twice. ANY: the same
-- rollup may be stored twice. The sums are the side that is kept in memory (project_rollup_settings.sql), since rollups are
-- larger.
FROM
(
    SELECT *
    FROM trace_rollups
    WHERE project_id = {project_id:String}
        AND (NOT {has_trace_ids:Bool} OR trace_id IN (SELECT arrayJoin({trace_ids:Array(String)})))
        AND rules_version = {rules_version:UInt64}
) AS rollup
RIGHT ANY JOIN
(
    SELECT trace_id, sum(checksum) AS checksum
    FROM merged_calls
    WHERE project_id = {project_id:String}
        AND (NOT {has_trace_ids:Bool} OR trace_id IN (SELECT arrayJoin({trace_ids:Array(String)})))
    GROUP BY trace_id
) AS stored USING (trace_id, checksum)
