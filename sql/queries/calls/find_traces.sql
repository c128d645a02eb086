-- The traces of calls that are named by project and id alone; calls whose start has not come are left out.
-- The n-th of project_ids is the project of the n-th of call_ids.
SELECT named.project_id AS project_id, named.id AS id, known.trace_id AS trace_id
FROM
(
    SELECT DISTINCT
        arrayJoin(arrayZip({project_ids:Array(String)}, {call_ids:Array(String)})) AS call,
        call.1 AS project_id,
        call.2 AS id,
        reinterpretAsUInt128(sipHash128(id)) AS key
) AS named
INNER JOIN
(
    SELECT project_id, key, trace_id
    FROM call_traces FINAL
    WHERE (project_id, key) IN (
        SELECT call.1, reinterpretAsUInt128(sipHash128(call.2))
        FROM (SELECT arrayJoin(arrayZip({project_ids:Array(String)}, {call_ids:Array(String)})) AS call)
    )
) AS known ON known.project_id = named.project_id AND known.key = named.key
