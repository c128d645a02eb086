-- The rows of `call_traces` of the calls `call_ids`. PREWHERE as in from_requested_traces.sql: 10,000 unknown ids take half
-- the time, since the other columns of their granules are not read.
FROM call_traces FINAL
PREWHERE project_id = {project_id:String}
    AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({call_ids:Array(String)}))))
