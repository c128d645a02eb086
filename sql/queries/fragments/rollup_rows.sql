-- The rows of trace_rollups, from `rolled_up_usage`, which is `counted_usage` with `top`, the key of the top call that a row counts for, and
-- `is_call`, whether the row counts the call, not only its usage. Only traces whose rows of merged_calls have the requested
-- checksum are rolled up, and only if every call that is not deleted hangs below a top call. `max_groups` bounds a row.
--
-- The classes of prompt sizes are those in which prices begin, more or less: where a price begins inside a group, which its
-- minimum and maximum tell, the rollup is not used.
SELECT
    {project_id:String} AS project_id,
    trace_id,
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
    groupArray(errors) AS `groups.errors`,
    groupArray(finished_calls) AS `groups.finished_calls`,
    groupArray(latency_us) AS `groups.latency_us`,
    groupArray(entries) AS `groups.entries`,
    groupArray(known_entries) AS `groups.known_entries`,
    groupArray(counters) AS `groups.counters`,
    groupArray(unfinished_call_ids) AS `groups.unfinished_call_ids`,
    groupArray(deleted_open_call_ids) AS `groups.deleted_open_call_ids`,
    max(group_depends_on_top) AS depends_on_top
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
        countIf(is_first_row AND is_call AND has_error) AS errors,
        countIf(is_first_row AND is_call AND has_latency) AS finished_calls,
        sumIf(toInt128(ended_us - started_us), is_first_row AND is_call AND has_latency) AS latency_us,
        {include usage_entries},
        sumForEach(CAST(counts[1], 'Array(UInt128)')) AS counters,
        groupArrayIf(open_id, is_first_row AND is_call AND open_id != ended) AS unfinished_call_ids,
        groupArrayArrayIf(deleted_open_ids, is_first_row AND is_call) AS deleted_open_call_ids,
        max(depends_on_top) AS group_depends_on_top
    FROM rolled_up_usage
    GROUP BY
        trace_id, top, model, op_name, wb_user_id, thread_id, service_tier,
        intDiv(started_us, 900000000),
        roundDown(prompt_size, [0, 32000, 64000, 128000, 131072, 200000, 256000, 262144, 272000, 512000, 1000000])
) AS sums
INNER JOIN
(
    SELECT trace_id, sum(checksum) AS checksum, countIf(NOT is_deleted) AS calls
    {include from_requested_traces}
    GROUP BY trace_id
    HAVING (trace_id, toString(checksum)) IN (
        SELECT arrayJoin(arrayZip({trace_ids:Array(String)}, {checksums:Array(String)})))
) AS stored ON stored.trace_id = sums.trace_id
GROUP BY trace_id
HAVING sum(group_calls) = any(stored.calls)
    AND count() + sum(length(unfinished_call_ids)) + sum(length(deleted_open_call_ids)) <= {max_groups:UInt32}
