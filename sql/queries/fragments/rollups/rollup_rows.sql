-- The rows of trace_rollups, from `rolled_up_usage`, which is `counted_usage` with `top`, the key of the top call that a row counts for,
-- `is_top`, whether the call is a top call, `is_call`, whether the row counts the call, not only its usage, and `counts_in_trace`, whether
-- its usage counts for the trace as a whole: `sums` are of the trace, groups of its top calls. Only traces whose rows of merged_calls have
-- the requested checksum are rolled up, and only if every call that has a start and is not deleted has a row. `max_groups` bounds a row.
--
-- A trace without top calls has one of key 0, without names or an end, which starts with the first call of the trace: lists then need no
-- other rule for it.
--
-- The classes of prompt sizes are those in which prices begin, more or less: where a price begins inside a group, which its
-- minimum and maximum tell, the rollup is not used.
SELECT
    {project_id:String} AS project_id,
    sums.trace_id AS trace_id,
    {rules_version:UInt64} AS rules_version,
    any(stored.checksum) AS checksum,
    groupArray(top) AS `groups.top`,
    groupArray(model) AS `groups.model`,
    groupArray(op_name) AS `groups.op_name`,
    groupArray(wb_user_id) AS `groups.wb_user_id`,
    groupArray(thread_id) AS `groups.thread_id`,
    groupArray(service_tier) AS `groups.service_tier`,
    groupArray(min_started_us) AS `groups.min_started_us`,
    groupArray(max_started_us) AS `groups.max_started_us`,
    groupArray(min_prompt_size) AS `groups.min_prompt_size`,
    groupArray(max_prompt_size) AS `groups.max_prompt_size`,
    groupArray(group_calls) AS `groups.calls`,
    groupArray(group_errors) AS `groups.errors`,
    groupArray(finished_calls) AS `groups.finished_calls`,
    groupArray(latency_us) AS `groups.latency_us`,
    groupArray(entries) AS `groups.entries`,
    groupArray(known_entries) AS `groups.known_entries`,
    groupArray(counters) AS `groups.counters`,
    groupArray(unfinished_call_ids) AS `groups.unfinished_call_ids`,
    groupArray(deleted_open_call_ids) AS `groups.deleted_open_call_ids`,
    max(group_depends_on_top) AS depends_on_top,
    (if(
        empty(groupArrayArray(group_tops) AS found_tops),
        [(min(min_started_us), toUInt128(0), min(min_started_us) - 1, '', '', '', toUInt8(0))],
        arraySort(found_tops)) AS tops).1 AS `tops.started_us`,
    tops.2 AS `tops.key`,
    tops.3 AS `tops.ended_us`,
    tops.4 AS `tops.op_name`,
    tops.5 AS `tops.wb_user_id`,
    tops.6 AS `tops.thread_id`,
    tops.7 AS `tops.is_root`,
    groupArrayIf(model, is_first_of_sum) AS `sums.model`,
    groupArrayIf(service_tier, is_first_of_sum) AS `sums.service_tier`,
    groupArrayIf(sum_min_started_us, is_first_of_sum) AS `sums.min_started_us`,
    groupArrayIf(sum_max_started_us, is_first_of_sum) AS `sums.max_started_us`,
    groupArrayIf(sum_min_prompt_size, is_first_of_sum) AS `sums.min_prompt_size`,
    groupArrayIf(sum_max_prompt_size, is_first_of_sum) AS `sums.max_prompt_size`,
    groupArrayIf(sum_counters, is_first_of_sum) AS `sums.counters`,
    sum(group_calls) AS calls,
    sum(group_errors) AS errors,
    sum(length(unfinished_call_ids)) AS unfinished_calls,
    -- A request for the only top call of a trace is answered from these two alone, unless they would be long; groups are read then.
    if(uniqExact(top) = 1 AND count() + unfinished_calls + sum(length(deleted_open_call_ids)) <= 1000, any(root.id), '') AS root_id,
    if(root_id = '', '', toJSONString(CAST(
        tuple(
            calls,
            groupArrayArray(unfinished_call_ids),
            groupArrayArray(deleted_open_call_ids),
            groupArrayIf(
                (model, service_tier, sum_min_started_us, sum_max_started_us, sum_min_prompt_size, sum_max_prompt_size, sum_counters),
                is_first_of_sum)),
        'Tuple(
            calls String,
            unfinished_call_ids Array(String),
            deleted_open_call_ids Array(String),
            sums Array(Tuple(
                model String,
                service_tier String,
                min_started_us String,
                max_started_us String,
                min_prompt_size String,
                max_prompt_size String,
                counters Array(String))))'))) AS root_usage,
    if(root_id = '', '', any(root.display_name)) AS root_display_name
FROM
(
    SELECT
        *,
        -- A model may have an empty name.
        arraySum(sum_counters) > 0 AND row_number() OVER of_sum = 1 AS is_first_of_sum,
        min(min_started_us) OVER of_sum AS sum_min_started_us,
        max(max_started_us) OVER of_sum AS sum_max_started_us,
        min(min_prompt_size) OVER of_sum AS sum_min_prompt_size,
        max(max_prompt_size) OVER of_sum AS sum_max_prompt_size,
        sumForEach(trace_counters) OVER of_sum AS sum_counters
    FROM
    (
        WITH
            counts[1][2] AS prompt,
            counts[1][1] AS request_count,
            counts[1][4] AS total,
            {include has_latency},
            intDiv(prompt - 1, greatest(request_count, 1)) AS prompt_size
        SELECT
            trace_id,
            top,
            quarter,
            size_class,
            model,
            op_name,
            wb_user_id,
            thread_id,
            service_tier,
            min(started_us) AS min_started_us,
            max(started_us) AS max_started_us,
            min(prompt_size) AS min_prompt_size,
            max(prompt_size) AS max_prompt_size,
            countIf(is_first_row AND is_call) AS group_calls,
            countIf(is_first_row AND is_call AND has_error) AS group_errors,
            countIf(is_first_row AND is_call AND has_latency) AS finished_calls,
            sumIf(toInt128(ended_us - started_us), is_first_row AND is_call AND has_latency) AS latency_us,
            {include usage_entries},
            sumForEach(CAST(counts[1], 'Array(UInt128)')) AS counters,
            sumForEachIf(CAST(counts[1], 'Array(UInt128)'), counts_in_trace) AS trace_counters,
            groupArrayIf(open_id, is_first_row AND is_call AND open_id != ended) AS unfinished_call_ids,
            groupArrayArrayIf(deleted_open_ids, is_first_row AND is_call) AS deleted_open_call_ids,
            max(depends_on_top) AS group_depends_on_top,
            groupArrayIf(
                (started_us, key, ended_us, op_name, wb_user_id, thread_id, roots > 0),
                is_top AND is_first_row AND is_call) AS group_tops
        FROM rolled_up_usage
        GROUP BY
            trace_id, top, model, op_name, wb_user_id, thread_id, service_tier,
            intDiv(started_us, 900000000) AS quarter,
            roundDown(prompt_size, [0, 32000, 64000, 128000, 131072, 200000, 256000, 262144, 272000, 512000, 1000000]) AS size_class
    )
    WINDOW of_sum AS (PARTITION BY trace_id, model, service_tier, quarter, size_class)
) AS sums
INNER JOIN
(
    SELECT trace_id, sum(checksum) AS checksum, countIf(NOT is_deleted AND {include has_start}) AS calls
    {include from_requested_traces}
    GROUP BY trace_id
    HAVING (trace_id, toString(checksum)) IN (
        SELECT arrayJoin(arrayZip({trace_ids:Array(String)}, {checksums:Array(String)})))
) AS stored ON stored.trace_id = sums.trace_id
LEFT ANY JOIN
(
    SELECT id, max(display_name) AS display_name, reinterpretAsUInt128(sipHash128(trace_id, id)) AS key
    FROM call_parts
    WHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
        AND kind IN ('start', 'whole')
        AND parent_id = ''
    GROUP BY trace_id, id
) AS root ON root.key = sums.top
GROUP BY sums.trace_id
HAVING sum(group_calls) = any(stored.calls)
    AND greatest(count(), length(tops)) + sum(length(unfinished_call_ids)) + sum(length(deleted_open_call_ids)) <= {max_groups:UInt32}
