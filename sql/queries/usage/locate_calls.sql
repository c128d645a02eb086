-- Where the calls of a question are: those of `call_ids` that are there, with their traces and what decides which
-- statement answers for them.
SELECT
    transform(
        key,
        arrayMap(id -> reinterpretAsUInt128(sipHash128(id)), {call_ids:Array(String)}),
        {call_ids:Array(String)},
        '') AS call_id,
    trace_id,
    is_root,
    is_rolled_up
FROM call_traces FINAL
WHERE project_id = {project_id:String}
    AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({call_ids:Array(String)}))))
