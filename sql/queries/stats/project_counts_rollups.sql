-- The same as project_counts.sql from rollups, with the traces that have no valid one, which have to be counted live: at most
-- `max_live_traces` of each project. On a cluster, rollups are compared with the rows of their own shard.
SELECT
    project_id,
    sum(rollup.calls) AS calls,
    countIf(rollup.calls > 0) AS traces,
    maxIf(arrayMax(groups.max_started_us), rollup.calls > 0) AS last_started_us,
    groupArrayIf({max_live_traces:UInt64})(trace_id, rules_version = 0) AS live_trace_ids
FROM
(
    SELECT project_id, trace_id, rules_version, checksum, calls, groups.max_started_us
    FROM trace_rollups
    WHERE project_id IN (SELECT arrayJoin({project_ids:Array(String)}))
        AND rules_version = {rules_version:UInt64}
) AS rollup
RIGHT ANY JOIN
(
    SELECT project_id, trace_id, sum(checksum) AS checksum
    FROM merged_calls
    WHERE project_id IN (SELECT arrayJoin({project_ids:Array(String)}))
    GROUP BY project_id, trace_id
) AS stored USING (project_id, trace_id, checksum)
GROUP BY project_id
{include project_rollup_settings}
