-- How many calls would the deletion of `call_ids` newly delete? Counts what delete_calls.sql marks, except for calls
-- that are already deleted.
{include walk_to_delete}
SELECT countIf(NOT is_deleted) AS calls
FROM calls_to_delete
