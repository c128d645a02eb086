-- Applies the counting rules to those of `read_calls` that count for a request for statistics. With `trace_roots_only` all
-- calls do, since the filter has chosen the traces by their roots.
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
        FROM read_calls
        WHERE {include stats_window}
            AND ({trace_roots_only:Bool} OR {include stats_filter})
            AND NOT is_deleted
            AND {include has_start}
            AND notEmpty(usage)
    ) AS call
    LEFT ANY JOIN {include rolled_up_children} AS of_parent ON of_parent.parent = call.key
),
{include own_usage},
{include counting_rules},
counts[1][1] AS request_count,
counts[1][2] AS prompt,
counts[1][4] AS total
