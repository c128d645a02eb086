-- Whether the flat sum of a trace is wrong: a call is deleted, its parent is missing, or it does not start after its parent,
-- which every cycle would contain. Calls that start in the same microsecond are ordered by their ids (`is_after_parent`).
max(call.is_deleted OR call.parent != 0 AND (
    parent_call.key = 0 OR parent_call.started_us + 1 - call.is_after_parent > call.started_us)) AS needs_tree_walk
