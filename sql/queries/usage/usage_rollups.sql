-- What did those of `call_ids` and their descendants use that are top calls of traces with valid rollups? One row per call,
-- model and price class. A rollup is valid if its checksum is the sum of those of the trace's rows, and its rules are those of
-- the service. `is_cut` says that a price begins inside a group: calls of the group have different prices, so the rollup is
-- not used.
WITH
{include requested_keys}
SELECT
    indexOf(requested_keys, top) AS position,
    model,
    service_tier,
    period_us,
    prompt_size,
    minute_of_week,
    max(is_group_cut) AS is_cut,
    sum(group_calls) AS calls,
    groupArrayArray(group_unfinished) AS unfinished_call_ids,
    groupArrayArray(group_deleted_open) AS deleted_open_call_ids,
    sumForEach(group_counters) AS counters
FROM
(
    SELECT
        group.1 AS top,
        group.2 AS model,
        group.3 AS service_tier,
        arrayMap(us -> roundDown(us, {price_dates:Array(Int64)}), group.4) AS periods,
        arrayMap(size -> roundDown(size, {prompt_sizes:Array(Int64)}), group.5) AS sizes,
        arrayMap(
            us -> roundDown(intDiv(us + 2419459200000000, 60000000) % 10080, {price_minutes:Array(UInt16)}),
            group.4) AS minutes,
        periods[1] AS period_us,
        sizes[1] AS prompt_size,
        minutes[1] AS minute_of_week,
        (period_us, prompt_size, minute_of_week) != (periods[2], sizes[2], minutes[2]) AS is_group_cut,
        group.6 AS group_calls,
        group.7 AS group_unfinished,
        group.8 AS group_deleted_open,
        group.9 AS group_counters
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
    ARRAY JOIN arrayMap(
        (top, model, tier, min_us, max_us, min_size, max_size, calls, unfinished, deleted_open, counters) -> (
            top, model, tier, [min_us, max_us], [min_size, max_size], calls, unfinished, deleted_open, counters),
        groups.top, groups.model, groups.service_tier, groups.min_started_us, groups.max_started_us,
        groups.min_prompt_size, groups.max_prompt_size, groups.calls,
        groups.unfinished_call_ids, groups.deleted_open_call_ids, groups.counters) AS group
    WHERE group.1 IN (SELECT arrayJoin(requested_keys))
)
GROUP BY position, model, service_tier, period_us, prompt_size, minute_of_week
-- On a cluster, rollups are compared with the rows of their own shard.
SETTINGS distributed_product_mode = 'local'
