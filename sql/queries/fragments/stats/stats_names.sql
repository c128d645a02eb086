-- Whether the names of a call match the filter of a request for statistics. An empty list filters nothing.
(
    empty({op_names:Array(String)}) AND empty({op_name_prefixes:Array(String)})
    OR op_name IN (SELECT arrayJoin({op_names:Array(String)}))
    OR arrayExists(prefix -> startsWith(op_name, prefix), {op_name_prefixes:Array(String)})
)
AND (empty({thread_ids:Array(String)}) OR thread_id IN (SELECT arrayJoin({thread_ids:Array(String)})))
AND (empty({wb_user_ids:Array(String)}) OR wb_user_id IN (SELECT arrayJoin({wb_user_ids:Array(String)})))
