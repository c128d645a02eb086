-- The same as usage_tree_walk.sql for traces with spans of OpenTelemetry, which repeat usage: otel_calls.sql says which ones
-- count (docs/decisions/0017-usage-of-spans.md). Calls of other modes count, and usage that an SDK rolled up is not
-- subtracted: where there is some (`usage_modes`), or where sums of what is stored do not say how tokens count,
-- usage_tree_walk_otel_counted.sql follows.
--
-- Which span of a response counts, and whether a twin does, depends on the requested call, so these spans have rows of
-- their own: `place` orders the calls of a `response`, and src/usage/roll-up.ts counts the first one of each requested
-- subtree. A twin counts for itself only (`is_own_only`).
WITH RECURSIVE
{include usage_fields},
{include requested_keys},
{include otel_calls},
{include stored_entry}
SELECT
    call.subtree AS call_key,
    used.model AS model,
    used.service_tier AS service_tier,
    {include price_class},
    if(variant < 2 OR NOT call.is_shared, 0, call.response) AS response,
    if(variant < 2, 0, call.place) AS place,
    variant > 1 AND call.is_twin AS is_own_only,
    transform(call_key, requested_keys, {call_ids:Array(String)}, '') AS call_id,
    max(call.is_requested) AS is_present,
    maxIf(call.ancestor, call.is_requested) AS ancestor_key,
    {include raw_sums}
FROM otel_calls AS call
ARRAY JOIN call.variants AS variant
LEFT ARRAY JOIN
    if(variant % 2 = 1, call.usage, []) AS used,
    arrayEnumerate(if(variant % 2 = 1, call.usage, [])) AS position
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week, response, place, is_own_only
{include planning_settings}
