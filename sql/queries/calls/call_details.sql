-- What is stored of the calls `keys` of the traces `trace_ids`? One row a call, merged from its parts. What the request does
-- not select is not read; of other calls of the traces, only the ids are. Of a summary, the members are raw JSON with their
-- names; what the client stored in its member `weave` is in `weave_members`. JSON that ClickHouse cannot read, which only
-- other pipelines can have stored, is a text.
WITH
    kind IN ('start', 'whole') AS has_start,
    kind IN ('end', 'whole') AS has_end,
    '%Y-%m-%dT%H:%i:%S.%fZ' AS iso_8601
SELECT
    trace_id,
    id,
    any(call_key) AS key,
    max(op_name) AS op_name,
    max(display_name) AS display_name,
    maxIf(parent_id, has_start) AS parent_id,
    max(thread_id) AS thread_id,
    max(turn_id) AS turn_id,
    formatDateTime(maxIf(started_at, has_start), iso_8601) AS started_at,
    formatDateTime(maxIf(ended_at, has_end), iso_8601) AS ended_at,
    toUnixTimestamp64Milli(maxIf(call_parts.ended_at, has_end))
        - toUnixTimestamp64Milli(maxIf(call_parts.started_at, has_start)) AS latency_ms,
    max(exception) AS exception,
    max(has_exception) AS has_exception,
    max(wb_user_id) AS wb_user_id,
    max(wb_run_id) AS wb_run_id,
    max(wb_run_step) AS wb_run_step,
    max(wb_run_step_end) AS wb_run_step_end,
    maxIf(if({with_attributes:Bool}, attributes_dump, '{}'), has_start) AS attributes,
    maxIf(if({with_inputs:Bool}, inputs_dump, '{}'), has_start) AS stored_inputs,
    maxIf(if({with_output:Bool}, output_dump, 'null'), has_end) AS stored_output,
    maxIf(if({with_summary:Bool}, summary_dump, '{}'), has_end) AS summary,
    if(isValidJSON(stored_inputs), stored_inputs, toJSONString(stored_inputs)) AS inputs,
    if(isValidJSON(stored_output), stored_output, toJSONString(stored_output)) AS output,
    JSONExtractKeysAndValuesRaw(summary) AS summary_members,
    JSONExtractKeysAndValuesRaw(summary, 'weave') AS weave_members,
    JSONExtractInt(summary, 'status_counts', 'error') > 0 AS has_failed_descendant
FROM
(
    SELECT *, reinterpretAsUInt128(sipHash128(trace_id, id)) AS call_key
    FROM call_parts
    PREWHERE project_id = {project_id:String}
        AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
        AND call_key IN (SELECT toUInt128(arrayJoin({keys:Array(String)})))
) AS call_parts
GROUP BY trace_id, id
