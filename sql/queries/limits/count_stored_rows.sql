-- How many calls have the traces `trace_ids` at most? `rows` are stored ones: of a call that is not merged yet there are
-- several. `calls` is exact: what the only top call of a trace touches, `root_id`, by its valid rollup; null for others.
SELECT
    trace_id,
    rows,
    root_id,
    if(root_id = '', NULL, rollup.root_calls) AS calls
FROM
(
    SELECT trace_id, sum(checksum) AS checksum, count() AS rows
    FROM merged_calls
    WHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
    GROUP BY trace_id
) AS stored
LEFT ANY JOIN
(
    SELECT trace_id, checksum, root_id, calls AS root_calls
    FROM trace_rollups
    WHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
        AND rules_version = {rules_version:UInt64}
        AND root_id != ''
) AS rollup USING (trace_id, checksum)
-- On a cluster, rollups are compared with the rows of their own shard.
SETTINGS distributed_product_mode = 'local'
