-- The same as usage_tree_walk_otel.sql for usage that sums of what is stored do not say enough about: usage that an SDK
-- rolled up is subtracted, and the counting rules are applied to the rest. Where an explanation is requested, usage of
-- spans that does not count is subtracted like that of a child.
WITH RECURSIVE
{include usage_fields},
{include counting_fields},
{include requested_keys},
{include otel_calls},
families AS
(
    SELECT
        call.key AS key,
        call.is_requested AS is_requested,
        if(call.is_requested, call.ancestor, call.subtree) AS target,
        call.open_id AS open_id,
        call.started_us AS started_us,
        call.ended_us AS ended_us,
        call.sdk_version AS sdk_version,
        if(variant % 2 = 1 OR variant = 0 AND {is_explained:Bool}, call.usage, []) AS usage,
        multiIf(
            variant = 1 AND call.usage_mode = 1, of_parent.children,
            variant = 0, [(call.ended_us, call.usage)::Tuple(ended_us Int64, usage Array(Tuple(
                model String, counters Array(UInt64), service_tier String, facts UInt8)))],
            []) AS children,
        of_parent.deleted_open_ids AS deleted_open_ids,
        if(variant < 2 OR NOT call.is_shared, 0, call.response) AS response,
        if(variant < 2, 0, call.place) AS place,
        variant > 1 AND call.is_twin AS is_own_only
    FROM otel_calls AS call
    LEFT ANY JOIN {include rolled_up_children} AS of_parent ON of_parent.parent = call.key
    ARRAY JOIN call.variants AS variant
),
{include own_usage},
{include counting_rules},
counts[1][2] AS prompt,
counts[1][1] AS request_count
SELECT
    {include tree_walk_row},
    response,
    place,
    is_own_only
FROM counted_usage
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week, response, place, is_own_only
{include planning_settings}
