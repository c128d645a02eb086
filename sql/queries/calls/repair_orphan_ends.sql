-- Stores the orphan ends of `call_ids` again, under the traces of their starts. Repeating it is harmless, also from
-- another service at the same time: equal parts are merged into one.
INSERT INTO call_parts (* EXCEPT (trace_id), trace_id)
SELECT orphan_end.* EXCEPT (trace_id), located.trace_id
FROM
(
    SELECT *
    {include from_orphan_ends}
) AS orphan_end
INNER JOIN
(
    SELECT key, trace_id
    {include from_requested_call_traces}
) AS located ON located.key = reinterpretAsUInt128(sipHash128(orphan_end.id))
