-- Which traces have calls that count for a request for statistics, and what decides how they are read: the number of all
-- their calls, and whether there are spans of OpenTelemetry among them (bit 2 of `usage_modes`). Calls without an end may have
-- an orphan one. With `trace_roots_only`, all calls of a trace count whose root matches the filter.
--
-- Where the traces have more than `max_calls` calls, the only row says how many (`all_calls`).
WITH
{include usage_fields}
SELECT
    *,
    sum(calls) OVER () AS all_calls
FROM
(
    SELECT
        trace_id,
        count() AS calls,
        groupBitOr(usage_mode) AS usage_modes,
        groupArrayIf(open_id, open_id NOT IN ('', ended)) AS unfinished_call_ids
    FROM
    (
        SELECT
            *,
            {include stats_filter} AS is_matched,
            {include stats_window} AS is_in_window
        FROM
        (
            SELECT *
            {include from_stats_traces}
        )
    )
    GROUP BY trace_id
    HAVING max(is_in_window AND (is_matched OR {trace_roots_only:Bool}))
        AND (NOT {trace_roots_only:Bool} OR max(is_matched AND parent = 0))
)
QUALIFY all_calls <= {max_calls:UInt64} OR row_number() OVER () = 1
