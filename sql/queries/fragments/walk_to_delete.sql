-- The calls to delete: each of `call_ids` and its descendants, found by pointer jumping as usage_tree_walk.sql finds
-- them, but through deleted calls too.
WITH RECURSIVE
(
    SELECT (groupArray(known.trace_id), groupArray(reinterpretAsUInt128(sipHash128(known.trace_id, named.id))))
    FROM
    (
        SELECT DISTINCT arrayJoin({call_ids:Array(String)}) AS id, reinterpretAsUInt128(sipHash128(id)) AS key
    ) AS named
    INNER JOIN
    (
        SELECT key, trace_id
        FROM call_traces FINAL
        WHERE project_id = {project_id:String}
            AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({call_ids:Array(String)}))))
    ) AS known ON known.key = named.key
) AS asked,
jump AS
(
    SELECT
        key,
        if(key IN (SELECT arrayJoin(asked.2)), key, parent) AS target,
        target IN (SELECT arrayJoin(asked.2)) AS is_settled,
        is_deleted,
        toUInt8(0) AS step,
        toUInt8(ceil(log2(count() OVER () + 1))) AS last_step,
        max(NOT is_settled) OVER () AS is_moving
    FROM
    (
        SELECT *
        FROM calls FINAL
        WHERE project_id = {project_id:String}
            AND trace_id IN (SELECT arrayJoin(asked.1))
    )
    WHERE target != 0

    UNION ALL

    SELECT
        l.key,
        r.target,
        r.is_settled,
        l.is_deleted,
        l.step + 1,
        l.last_step,
        max(NOT r.is_settled) OVER () AS is_moving
    FROM jump AS l
    INNER JOIN (SELECT key, target, is_settled FROM jump) AS r ON l.target = r.key
    WHERE l.is_moving
        AND l.step < l.last_step
)
