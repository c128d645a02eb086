-- The traces of calls that are named by id alone; calls whose start has not come are left out.
SELECT named.id AS id, known.trace_id AS trace_id
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
