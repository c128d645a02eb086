-- Whether a trace matches the filter of a list of traces; an empty list, or text, filters nothing. `root_op_name` and
-- `root_key` are those of its root, `user_ids` and `threads` those of its calls. Only call_parts has display names: without a
-- search nothing of it is read.
(empty({op_names:Array(String)}) AND empty({op_name_prefixes:Array(String)})
    OR has({op_names:Array(String)}, root_op_name)
    OR arrayExists(prefix -> startsWith(root_op_name, prefix), {op_name_prefixes:Array(String)}))
AND ({search:String} = ''
    OR positionCaseInsensitiveUTF8(root_op_name, {search:String}) > 0
    OR positionCaseInsensitiveUTF8(trace_id, {search:String}) > 0
    OR root_key IN (
        SELECT reinterpretAsUInt128(sipHash128(trace_id, id))
        FROM call_parts
        WHERE {search:String} != ''
            AND project_id = {project_id:String}
            AND kind IN ('start', 'whole')
            AND positionCaseInsensitiveUTF8(display_name, {search:String}) > 0))
AND (empty({wb_user_ids:Array(String)}) OR hasAny(user_ids, {wb_user_ids:Array(String)}))
AND (empty({thread_ids:Array(String)}) OR hasAny(threads, {thread_ids:Array(String)}))
AND (NOT {has_error_filter:Bool} OR (errors > 0) = {has_error:Bool})
AND (NOT {is_running_filter:Bool} OR (unfinished_calls > 0) = {is_running:Bool})
