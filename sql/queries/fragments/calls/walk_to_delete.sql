-- Defines `calls_to_delete`, the keys of the calls `call_ids` and of all their descendants, and `requested`, the
-- traces and keys of `call_ids`. Trees are walked by pointer jumping as in usage_tree_walk.sql, with one difference:
-- pointers also pass through deleted calls, so that calls that arrived below a deleted call later are found too.
WITH RECURSIVE
(
    SELECT (
        groupArray(located.trace_id),
        groupArray(reinterpretAsUInt128(sipHash128(located.trace_id, requested_call.id))))
    FROM
    (
        SELECT DISTINCT arrayJoin({call_ids:Array(String)}) AS id, reinterpretAsUInt128(sipHash128(id)) AS key
    ) AS requested_call
    INNER JOIN
    (
        SELECT key, trace_id
        {include from_requested_call_traces}
    ) AS located ON located.key = requested_call.key
) AS requested,
requested.1 AS requested_trace_ids,
requested.2 AS requested_keys,
pointers AS
(
    SELECT
        key,
        if(key IN (SELECT arrayJoin(requested_keys)), key, parent) AS target,
        target IN (SELECT arrayJoin(requested_keys)) AS is_settled,
        is_deleted,
        toUInt8(0) AS step,
        toUInt8(ceil(log2(count() OVER () + 1))) AS last_step,
        max(NOT is_settled) OVER () AS is_moving
    FROM
    (
        SELECT *
        FROM merged_calls FINAL
        PREWHERE project_id = {project_id:String}
            AND trace_id IN (SELECT arrayJoin(requested_trace_ids))
    )
    WHERE target != 0

    UNION ALL

    SELECT
        pointer.key,
        next.target,
        next.is_settled,
        pointer.is_deleted,
        pointer.step + 1,
        pointer.last_step,
        max(NOT next.is_settled) OVER () AS is_moving
    FROM pointers AS pointer
    INNER JOIN (SELECT key, target, is_settled FROM pointers) AS next ON next.key = pointer.target
    WHERE pointer.is_moving
        AND pointer.step < pointer.last_step
),
calls_to_delete AS
(
    SELECT key, is_deleted
    FROM pointers
    WHERE (NOT is_moving OR step = last_step)
        AND is_settled
)
