-- How many children do the calls `keys` of the traces `trace_ids` have, and what decides how their usage is computed: is the
-- call a root, did its SDK add the usage of its children to its own, and are there spans of OpenTelemetry in any of the traces?
-- Other calls are dropped before they are grouped, but for spans, which are one group: of key 0.
SELECT *
FROM
(
    SELECT
        of_key AS key,
        anyIf(trace_id, is_call) AS trace_id,
        countIf(NOT is_call) AS children,
        maxIf(parent = 0, is_call) AS is_root,
        maxIf(usage_mode = 1, is_call) AS is_rolled_up,
        max(max(usage_mode = 2)) OVER () AS has_spans
    FROM
    (
        SELECT
            trace_id,
            key,
            parent,
            usage_mode,
            key IN (SELECT toUInt128(arrayJoin({keys:Array(String)}))) AS is_requested,
            parent != key AND parent IN (SELECT toUInt128(arrayJoin({keys:Array(String)}))) AS is_child
        FROM
        (
            SELECT *
            {include from_requested_traces}
        )
        WHERE NOT is_deleted
            AND {include has_start}
            AND (is_requested OR is_child OR usage_mode = 2)
    )
    ARRAY JOIN
        [if(is_requested, key, 0), if(is_child, parent, 0)] AS of_key,
        [true, false] AS is_call
    GROUP BY of_key
)
WHERE key != 0
