-- What did each of `call_ids` and its descendants use? One row per requested call, model and price class, with an empty
-- `model` for calls without usage. Each call is counted for its nearest requested ancestor only, itself included. The
-- rows of a requested call with `is_present` contain the call itself, and their `ancestor_key` is the key of its own
-- nearest requested ancestor: src/usage/roll-up.ts adds the sums up along these links. A requested call without such a
-- row is unknown or deleted.
--
-- Trees are walked by pointer jumping (docs/decisions/0001-pointer-jumping.md): at first every call points to its
-- parent; each step of the recursion lets it point to where its target points, until it points to a requested call or
-- falls off the tree. The rows are read once, and log2(depth) steps are enough; with one step per level, each level
-- would take 3 to 4 ms. Cycles without a requested call never settle, hence `last_step`.
WITH RECURSIVE
{include usage_fields},
{include counting_fields},
{include requested_keys},
pointers AS
(
    SELECT
        key,
        parent AS target,
        key IN (SELECT arrayJoin(requested_keys)) AS is_requested,
        parent IN (SELECT arrayJoin(requested_keys)) AS is_settled,
        toUInt8(0) AS step,
        toUInt8(ceil(log2(count() OVER () + 1))) AS last_step,
        max(NOT is_settled AND target != 0) OVER () AS is_moving,
        usage_mode,
        open_id,
        started_us,
        ended_us,
        sdk_version,
        usage
    FROM
    (
        SELECT *
        {include from_requested_traces}
        WHERE NOT is_deleted
    )
    WHERE parent != 0 OR is_requested

    UNION ALL

    SELECT
        call.key,
        next.target AS target,
        call.is_requested,
        next.is_settled AS is_settled,
        call.step + 1,
        call.last_step,
        max(NOT is_settled AND target != 0) OVER () AS is_moving,
        call.usage_mode,
        call.open_id,
        call.started_us,
        call.ended_us,
        call.sdk_version,
        call.usage
    FROM pointers AS call
    LEFT ANY JOIN
    (
        SELECT key, if(is_requested, key, target) AS target, is_requested OR is_settled AS is_settled
        FROM pointers
    ) AS next ON next.key = call.target
    WHERE call.is_moving
        AND call.step < call.last_step
        AND (next.target != 0 OR call.is_requested)
),
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
    FROM pointers AS call
    LEFT ANY JOIN
    {include rolled_up_children} AS of_parent ON of_parent.parent = call.key
    WHERE (NOT call.is_moving OR call.step = call.last_step)
        AND (call.is_settled OR call.is_requested)
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
