-- Stores the rollups of `trace_ids`, whose rows of merged_calls have the sums `checksums`: per top call what
-- usage_tree_walk_otel_counted.sql answers. A trace with a cycle has calls below no top call; it is left to roll_up_whole_traces.sql.
--
-- `checksums` was read before. A rollup is used only while the sum is still the same, and then nothing was stored in between.
{include insert_rollups}
WITH RECURSIVE
{include usage_fields},
{include counting_fields},
(
    SELECT groupArray(key)
    FROM
    (
        SELECT key, parent
        {include from_requested_traces}
        WHERE NOT is_deleted AND {include has_start}
    )
    WHERE {include is_top_call}
) AS requested_keys,
{include otel_calls},
families AS
(
    SELECT
        *,
        variant < 2 AS is_call,
        variant > 1 AS depends_on_top,
        -- What the trace as a whole used: of the spans of a response one counts, as in stats_usage_otel.sql.
        variant < 2 OR place = 1 AND NOT is_twin AS counts_in_trace
    FROM
    (
        SELECT
            call.key AS key,
            call.subtree AS top,
            toUInt8(call.parent = 0) AS roots,
            call.open_id AS open_id,
            call.started_us AS started_us,
            call.ended_us AS ended_us,
            call.sdk_version AS sdk_version,
            if(variant % 2 = 1, call.usage, []) AS usage,
            if(variant = 1 AND call.usage_mode = 1, of_parent.children, []) AS children,
            of_parent.deleted_open_ids AS deleted_open_ids,
            label.trace_id AS trace_id,
            label.op_name AS op_name,
            label.wb_user_id AS wb_user_id,
            label.thread_id AS thread_id,
            label.has_error AS has_error,
            variant,
            call.is_shared AND variant > 1 AS is_of_response,
            call.response AS response,
            call.place AS place,
            call.is_twin AS is_twin
        FROM otel_calls AS call
        LEFT ANY JOIN {include rolled_up_children} AS of_parent ON of_parent.parent = call.key
        LEFT ANY JOIN
        (
            SELECT key, trace_id, op_name, wb_user_id, thread_id, has_error
            {include from_requested_traces}
        ) AS label ON label.key = call.key
        ARRAY JOIN call.variants AS variant
    )
    -- Of the spans of one response in a subtree, the first one counts.
    QUALIFY NOT is_of_response
        OR place = min(place) OVER (PARTITION BY top, is_of_response, if(is_of_response, response, 0))
),
{include own_usage},
{include counting_rules},
rolled_up_usage AS (SELECT *, key = top AS is_top FROM counted_usage)
{include rollup_rows}
{include rollup_settings}
