-- Defines `walked_calls`, the calls of the requested subtrees that are present. `target` is the nearest requested ancestor, 0
-- without one.
--
-- Trees are walked by pointer jumping (docs/decisions/0001-pointer-jumping.md): at first every call points to its
-- parent; each step of the recursion lets it point to where its target points, until it points to a requested call or
-- falls off the tree. The rows are read once, and log2(depth) steps are enough; with one step per level, each level
-- would take 3 to 4 ms. Cycles without a requested call never settle, hence `last_step`.
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
walked_calls AS
(
    SELECT *
    FROM pointers
    WHERE (NOT is_moving OR step = last_step)
        AND (is_settled OR is_requested)
)
