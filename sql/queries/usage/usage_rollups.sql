-- What did those of `call_ids` and their descendants use that are top calls of traces with valid rollups? One row per call,
-- model and price class. A rollup is valid if its checksum is the sum of those of the trace's rows, and its rules are those of
-- the service. A group is in the class of its first call and its smallest prompt: src/usage/rollups/query-group-rollups.ts uses no rollup
-- with a group whose last call or largest prompt is in another one.
WITH
{include requested_keys}
SELECT
    indexOf(requested_keys, top) AS position,
    model,
    service_tier,
    roundDown(group_min_us, {price_dates:Array(Int64)}) AS period_us,
    roundDown(group_min_size, {prompt_sizes:Array(Int64)}) AS prompt_size,
    roundDown(intDiv(group_min_us + 2419459200000000, 60000000) % 10080, {price_minutes:Array(UInt16)}) AS minute_of_week,
    max(group_max_us) AS max_started_us,
    max(group_max_size) AS max_prompt_size,
    sum(group_calls) AS calls,
    groupArrayArray(group_unfinished) AS unfinished_call_ids,
    groupArrayArray(group_deleted_open) AS deleted_open_call_ids,
    sumForEach(group_counters) AS counters
FROM
(
    SELECT *
    FROM trace_rollups
    WHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
        AND rules_version = {rules_version:UInt64}
        AND (trace_id, checksum) IN (
            SELECT trace_id, sum(checksum)
            FROM merged_calls
            WHERE project_id = {project_id:String}
                AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
            GROUP BY trace_id)
    LIMIT 1 BY trace_id
)
ARRAY JOIN
    groups.top AS top,
    groups.model AS model,
    groups.service_tier AS service_tier,
    groups.min_started_us AS group_min_us,
    groups.max_started_us AS group_max_us,
    groups.min_prompt_size AS group_min_size,
    groups.max_prompt_size AS group_max_size,
    groups.calls AS group_calls,
    groups.unfinished_call_ids AS group_unfinished,
    groups.deleted_open_call_ids AS group_deleted_open,
    groups.counters AS group_counters
WHERE position > 0
GROUP BY position, model, service_tier, period_us, prompt_size, minute_of_week
-- On a cluster, rollups are compared with the rows of their own shard.
SETTINGS distributed_product_mode = 'local'
