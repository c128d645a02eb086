-- The rollups of traces by their checksums, which a row keeps for ever: what list_traces.sql has found. `id` is that of the root;
-- empty if only call_parts has it, and the display name.
SELECT
    trace_id,
    calls,
    errors,
    unfinished_calls,
    toString(tops.key[1]) AS root_key,
    if(tops.is_root[1], root_id, '') AS id,
    root_display_name AS display_name,
    tops.op_name[1] AS op_name,
    tops.started_us[1] AS started_us,
    tops.ended_us[1] AS ended_us,
    arraySort(arrayDistinct(arrayFilter(id -> id != '', groups.wb_user_id))) AS wb_user_ids,
    arraySort(arrayDistinct(arrayFilter(id -> id != '', groups.thread_id))) AS thread_ids,
    arrayMap(
        (model, service_tier, sum_us, sum_size, counters) -> CAST(
            (
                model,
                service_tier,
                roundDown(sum_us, {price_dates:Array(Int64)}),
                roundDown(sum_size, {prompt_sizes:Array(Int64)}),
                roundDown(intDiv(sum_us + 2419459200000000, 60000000) % 10080, {price_minutes:Array(UInt16)}),
                counters),
            'Tuple(model String, service_tier String, period_us Int64, prompt_size Int64, minute_of_week UInt16, counters Array(UInt128))'),
        sums.model, sums.service_tier, sums.min_started_us, sums.min_prompt_size, sums.counters) AS sums
FROM
(
    SELECT
        trace_id, calls, errors, unfinished_calls, root_id, root_display_name,
        tops.key, tops.is_root, tops.op_name, tops.started_us, tops.ended_us,
        groups.wb_user_id, groups.thread_id,
        sums.model, sums.service_tier, sums.min_started_us, sums.min_prompt_size, sums.counters
    {include from_valid_rollups}
    LIMIT 1 BY trace_id
)
