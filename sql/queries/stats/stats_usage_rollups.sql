-- What did calls of a project use that started in a window, from the rollups of their traces? Rows as those of stats_row.sql.
-- `live_trace_ids`: the traces that have to be read live, in a row without entries; at most `max_live_traces` are listed.
-- `open_call_ids`: calls of the others whose end may have arrived without a trace.
SELECT
    {include stats_group},
    model,
    service_tier,
    {include price_class},
    sum(group_entries) AS entries,
    sum(group_known_entries) AS known_entries,
    sumForEach(group_counters) AS counters,
    CAST([], 'Array(Array(Int64))') AS values,
    groupArrayIf({max_live_traces:UInt64})(trace_id, is_live) AS live_trace_ids,
    groupArrayArrayIf(open_ids, position = 1) AS open_call_ids
FROM
(
    SELECT
        trace_id,
        is_live,
        open_ids,
        position,
        0 AS key,
        group.1 AS op_name,
        group.2 AS wb_user_id,
        group.3 AS thread_id,
        group.4 AS started_us,
        group.5 AS model,
        group.6 AS service_tier,
        -- The smallest size, as price_class.sql computes it.
        group.7 + 1 AS prompt,
        1 AS request_count,
        group.8 AS group_entries,
        group.9 AS group_known_entries,
        group.10 AS group_counters
    FROM
    (
        SELECT
            trace_id,
            is_live,
            arrayConcat(
                arrayFlatten(groups.unfinished_call_ids),
                arrayFlatten(groups.deleted_open_call_ids)) AS open_ids,
            arrayFilter(
                (group, state) -> state = 1 AND NOT is_live,
                arrayZip(
                    groups.op_name, groups.wb_user_id, groups.thread_id, groups.min_started_us,
                    groups.model, groups.service_tier, groups.min_prompt_size,
                    groups.entries, groups.known_entries, groups.counters),
                states) AS counted_groups
        FROM {include rolled_up_traces}
    )
    LEFT ARRAY JOIN counted_groups AS group, arrayEnumerate(counted_groups) AS position
    WHERE is_live OR position > 0
)
GROUP BY bucket_us, value_1, value_2, model, service_tier, period_us, prompt_size, minute_of_week
{include project_rollup_settings}
