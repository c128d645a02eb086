-- The same as usage_tree_walk.sql in half the time or less, for usage of which sums of what is stored say how tokens count, and
-- which no SDK has rolled up. The rows report whether that is so, as those of a flat sum do; if not, usage_tree_walk.sql
-- follows, or usage_tree_walk_otel.sql where there are spans of OpenTelemetry (`usage_modes`).
WITH RECURSIVE
{include usage_fields},
{include requested_keys},
{include walked_calls},
{include stored_entry}
SELECT
    if(call.is_requested, call.key, call.target) AS call_key,
    used.model AS model,
    used.service_tier AS service_tier,
    {include price_class},
    transform(call_key, requested_keys, {call_ids:Array(String)}, '') AS call_id,
    max(call.is_requested) AS is_present,
    maxIf(call.target, call.is_requested) AS ancestor_key,
    {include raw_sums}
FROM walked_calls AS call
LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
