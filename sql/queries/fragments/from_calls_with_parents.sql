-- Each call of the requested traces with its parent, one row per model that it used. `position` counts these rows
-- from 1; a call without usage has one row, with position 0. The parent is read with a second scan, because
-- ClickHouse does not reuse the result of a subquery; if there is no parent, the columns of parent_call are 0.
FROM
(
    SELECT *, {include stored_total} AS stored_total
    {include from_requested_traces}
) AS call
LEFT ANY JOIN
(
    SELECT key, started_us, ended_us, usage_mode, {include stored_total} AS stored_total
    {include from_requested_traces}
) AS parent_call ON parent_call.key = call.parent
LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
