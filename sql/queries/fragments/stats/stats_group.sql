-- The bucket of a call and what else it is grouped by: `group_1` and `group_2` are names of columns, or empty. Of `if` with a
-- constant ClickHouse keeps one branch, so other columns are not read. By `key`, each call is a group; rollups have none. By
-- `trace_id`, only live ones are requested.
roundDown(started_us, {bucket_starts:Array(Int64)}) AS bucket_us,
if({group_1:String} = 'op_name', op_name,
    if({group_1:String} = 'wb_user_id', wb_user_id,
    if({group_1:String} = 'thread_id', thread_id,
    if({group_1:String} = 'key', toString(key),
    if({group_1:String} = 'trace_id', trace_id, ''))))) AS value_1,
if({group_2:String} = 'op_name', op_name,
    if({group_2:String} = 'wb_user_id', wb_user_id,
    if({group_2:String} = 'thread_id', thread_id, ''))) AS value_2
