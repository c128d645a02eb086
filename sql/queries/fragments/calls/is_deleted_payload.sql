-- Whether a part has a payload and belongs to a deleted call. An end without a trace belongs to every call of its id.
-- On a cluster, `call_parts` is the server's own table and {database}.call_parts that of all shards: the deletion of an
-- end without a trace is on another shard.
has_payload
AND (
    (project_id, trace_id, id) IN (
        SELECT project_id, trace_id, id FROM {database:Identifier}.call_parts WHERE kind = 'deletion'
    )
    OR trace_id = '' AND (project_id, id) IN (
        SELECT project_id, id FROM {database:Identifier}.call_parts WHERE kind = 'deletion'
    )
)
