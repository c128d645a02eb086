-- Stores the rollups of those of `trace_ids` that roll_up_traces.sql leaves: some calls are in a cycle, or below one, and so below no top
-- call, or there are too many top calls for groups of each. They have what the trace as a whole used, as stats_usage_otel.sql answers.
-- No group is of a top call (`top` is 0), so usage requests for calls of these traces are answered live; statistics and lists need no
-- more than that each call is in one group.
{include insert_rollups}
WITH RECURSIVE
{include usage_fields},
{include counting_fields},
{include counted_spans},
families AS
(
    SELECT
        call.key AS key,
        toUInt8(call.parent = 0) AS roots,
        call.is_top AS is_top,
        call.open_id AS open_id,
        call.started_us AS started_us,
        call.ended_us AS ended_us,
        call.sdk_version AS sdk_version,
        if(call.counts_usage, call.usage, []) AS usage,
        if(call.counts_usage AND call.usage_mode = 1, of_parent.children, []) AS children,
        of_parent.deleted_open_ids AS deleted_open_ids,
        call.trace_id AS trace_id,
        call.op_name AS op_name,
        call.wb_user_id AS wb_user_id,
        call.thread_id AS thread_id,
        call.has_error AS has_error
    FROM
    (
        SELECT
            *,
            {include is_top_call} AS is_top
        FROM counted_spans
    ) AS call
    LEFT ANY JOIN {include rolled_up_children} AS of_parent ON of_parent.parent = call.key
),
{include own_usage},
{include counting_rules},
rolled_up_usage AS
(
    SELECT
        *,
        toUInt128(0) AS top,
        1 AS is_call,
        0 AS depends_on_top,
        1 AS counts_in_trace
    FROM counted_usage
)
{include rollup_rows}
{include rollup_settings}
