-- Whether a call exists, is not deleted, and matches the filter of a request for statistics. An empty list filters
-- nothing; of calls and parents, the filter has the traces in which they are.
{include has_start}
AND NOT is_deleted
AND (
    empty({op_names:Array(String)}) AND empty({op_name_prefixes:Array(String)})
    OR op_name IN (SELECT arrayJoin({op_names:Array(String)}))
    OR arrayExists(prefix -> startsWith(op_name, prefix), {op_name_prefixes:Array(String)})
)
AND (empty({thread_ids:Array(String)}) OR thread_id IN (SELECT arrayJoin({thread_ids:Array(String)})))
AND (empty({wb_user_ids:Array(String)}) OR wb_user_id IN (SELECT arrayJoin({wb_user_ids:Array(String)})))
AND (
    NOT {has_call_ids:Bool}
    OR key IN (
        SELECT reinterpretAsUInt128(sipHash128(call.1, call.2))
        FROM (SELECT arrayJoin(arrayZip({call_traces:Array(String)}, {call_ids:Array(String)})) AS call)
    )
)
AND (
    NOT {has_parent_ids:Bool}
    OR parent IN (
        SELECT reinterpretAsUInt128(sipHash128(call.1, call.2))
        FROM (SELECT arrayJoin(arrayZip({parent_traces:Array(String)}, {parent_ids:Array(String)})) AS call)
    )
)
