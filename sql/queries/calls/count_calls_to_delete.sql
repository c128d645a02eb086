-- How many calls the deletion of `call_ids` would newly delete, their descendants included: what delete_calls.sql
-- marks, less what was deleted before. It walks as usage_tree_walk.sql does, but through deleted calls too.
{include walk_to_delete}
SELECT countIf(NOT is_deleted) AS calls
FROM jump
WHERE (NOT is_moving OR step = last_step)
    AND is_settled
