-- Stores the ends without a trace id of `call_ids` once more, under the traces of their starts. Doing so again does no
-- harm, and neither does another service that does the same: a repeated part is one part.
INSERT INTO call_parts (* EXCEPT (trace_id), trace_id)
SELECT part.* EXCEPT (trace_id), known.trace_id
FROM
(
    SELECT *
    FROM call_parts
    WHERE project_id = {project_id:String}
        AND trace_id = ''
        AND id IN (SELECT arrayJoin({call_ids:Array(String)}))
) AS part
INNER JOIN
(
    SELECT key, trace_id
    FROM call_traces FINAL
    WHERE project_id = {project_id:String}
        AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({call_ids:Array(String)}))))
) AS known ON known.key = reinterpretAsUInt128(sipHash128(part.id))
