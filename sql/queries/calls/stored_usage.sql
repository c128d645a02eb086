-- What have the calls `keys` of the traces `trace_ids` stored as their usage? One row per call, model and price class, for calls of
-- which that is what they used themselves. The rows say where it is not: the counting rules change more than sums show
-- (raw_sums.sql), an SDK has added the usage of children (`has_children`), or the call is a span of OpenTelemetry (`usage_modes`).
-- Those calls are read by stats_usage.sql and stats_usage_otel.sql, whose planning alone takes 74 ms of processor time.
WITH
{include usage_fields},
{include stored_entry}
SELECT
    call.key AS call_key,
    used.model AS model,
    used.service_tier AS service_tier,
    {include price_class},
    call_key IN (
        SELECT parent
        {include from_requested_traces}
        WHERE usage_mode = 1 AND parent != key
    ) AS has_children,
    {include raw_sums}
FROM
(
    SELECT *
    {include from_requested_traces}
        AND key IN (SELECT toUInt128(arrayJoin({keys:Array(String)})))
    WHERE NOT is_deleted
) AS call
ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
