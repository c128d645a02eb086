-- What did each of `call_ids` and its descendants use? One row per requested call, model and price class, with an empty
-- `model` for calls without usage. Each call is counted for its nearest requested ancestor only, itself included. The
-- rows of a requested call with `is_present` contain the call itself, and their `ancestor_key` is the key of its own
-- nearest requested ancestor: src/usage/roll-up.ts adds the sums up along these links. A requested call without such a
-- row is unknown or deleted.
WITH RECURSIVE
{include usage_fields},
{include counting_fields},
{include requested_keys},
{include walked_calls},
-- The calls that count, each with its children.
families AS
(
    SELECT
        call.key AS key,
        call.target AS target,
        call.is_requested AS is_requested,
        call.usage_mode AS usage_mode,
        call.open_id AS open_id,
        call.started_us AS started_us,
        call.ended_us AS ended_us,
        call.sdk_version AS sdk_version,
        call.usage AS usage,
        if(call.usage_mode = 1, of_parent.children, []) AS children,
        of_parent.deleted_open_ids AS deleted_open_ids
    FROM walked_calls AS call
    LEFT ANY JOIN
    {include rolled_up_children} AS of_parent ON of_parent.parent = call.key
),
{include own_usage},
{include counting_rules},
counts[1][2] AS prompt,
counts[1][1] AS request_count
SELECT
    {include tree_walk_row},
    max(usage_mode = 2) AS is_otel
FROM counted_usage
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
