-- Defines `families` of whole traces, one row for each call, with its rolled-up children: each call is in its own family
-- and in that of its parent. `needs_tree_walk`: a call is deleted, a parent is missing, or a call does not start after its
-- parent, which every cycle would contain. Calls that start in the same microsecond are ordered by their ids
-- (`is_after_parent`).
families AS
(
    SELECT
        if(is_call, call.key, call.parent) AS key,
        any(call.trace_id) AS trace_id,
        maxIf(call.started_us, is_call) AS started_us,
        maxIf(call.ended_us, is_call) AS ended_us,
        maxIf(call.sdk_version, is_call) AS sdk_version,
        anyIf(call.usage, is_call) AS usage,
        if(
            maxIf(call.usage_mode, is_call) = 1,
            groupArrayIf(
                (call.ended_us, call.usage)::Tuple(ended_us Int64, usage Array(Tuple(
                    model String, counters Array(UInt64), service_tier String, facts UInt8))),
                NOT is_call AND call.usage_mode = 1 AND call.open_id = ended),
            []) AS children,
        countIf(is_call AND call.parent = 0) AS roots,
        max(call.usage_mode = 2) AS is_otel,
        max(call.is_deleted) OR NOT max(is_call)
            OR minIf(call.started_us + call.is_after_parent, NOT is_call) <= maxIf(call.started_us, is_call) AND min(is_call) = 0 AS needs_tree_walk,
        maxIf(call.open_id, is_call) AS open_id,
        maxIf(call.op_name, is_call) AS op_name,
        maxIf(call.wb_user_id, is_call) AS wb_user_id,
        maxIf(call.thread_id, is_call) AS thread_id,
        maxIf(call.has_error, is_call) AS has_error
    FROM
    (
        SELECT *
        {include from_requested_traces}
    ) AS call
    ARRAY JOIN if(call.parent = 0, [1], [1, 0]) AS is_call
    GROUP BY key
)
