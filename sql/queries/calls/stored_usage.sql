-- What have the calls `keys` of the traces `trace_ids` stored as their usage? One row per call, model and price class, one for a call
-- without usage. For most calls that is what they used themselves, and the rows say where it is not: the counting rules change more
-- than sums show (raw_sums.sql), an SDK has added the usage of children (`has_children`), or the call is a span of OpenTelemetry
-- (`usage_modes`). The usage of those calls is read by other statements, whose planning takes 74 ms of processor time and more.
WITH
{include usage_fields},
{include stored_entry}
SELECT
    call.key AS call_key,
    any(call.parent) AS parent_key,
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
    SELECT key, parent, usage_mode, open_id, started_us, sdk_version, usage
    {include from_requested_traces}
        AND key IN (SELECT toUInt128(arrayJoin({keys:Array(String)})))
    WHERE NOT is_deleted
) AS call
LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
