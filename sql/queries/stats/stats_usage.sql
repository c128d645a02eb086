-- What did calls of the traces `trace_ids` use that started in a window? One row for each bucket, group, model and price
-- class (stats_row.sql), for traces without spans of OpenTelemetry. The traces are read whole, since what an SDK has added to
-- a call is the usage of children that may have started outside of the window.
WITH
{include usage_fields},
{include counting_fields},
families AS
(
    SELECT
        call.*,
        if(call.usage_mode = 1, of_parent.children, []) AS children
    FROM
    (
        SELECT
            key,
            usage_mode,
            started_us,
            ended_us,
            sdk_version,
            usage,
            {include stats_group}
        FROM
        (
            SELECT *
            {include from_requested_traces}
        )
        WHERE {include stats_window}
            AND {include stats_usage_filter}
            AND notEmpty(usage)
    ) AS call
    LEFT ANY JOIN {include rolled_up_children} AS of_parent ON of_parent.parent = call.key
),
{include own_usage},
{include counting_rules},
counts[1][1] AS request_count,
counts[1][2] AS prompt,
counts[1][4] AS total
{include stats_row}
