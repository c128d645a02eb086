-- The rows of `call_traces` of the calls `call_ids`.
FROM call_traces FINAL
WHERE project_id = {project_id:String}
    AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({call_ids:Array(String)}))))
