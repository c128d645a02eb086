-- Which trace is each call in? The n-th call has the id call_ids[n] in the project project_ids[n]. Calls whose start
-- has not arrived have no row.
SELECT requested_call.project_id AS project_id, requested_call.id AS id, located.trace_id AS trace_id
FROM
(
    SELECT DISTINCT
        arrayJoin(arrayZip({project_ids:Array(String)}, {call_ids:Array(String)})) AS call,
        call.1 AS project_id,
        call.2 AS id,
        reinterpretAsUInt128(sipHash128(id)) AS key
) AS requested_call
INNER JOIN
(
    SELECT project_id, key, trace_id
    FROM call_traces FINAL
    PREWHERE (project_id, key) IN (
        SELECT call.1, reinterpretAsUInt128(sipHash128(call.2))
        FROM (SELECT arrayJoin(arrayZip({project_ids:Array(String)}, {call_ids:Array(String)})) AS call)
    )
) AS located ON located.project_id = requested_call.project_id AND located.key = requested_call.key
