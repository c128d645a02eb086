-- Marks `call_ids` and all their descendants as deleted, by a part of its own for each. It walks as usage_tree_walk.sql
-- does, but through deleted calls too: what came below one after its deletion is then deleted with the rest.
INSERT INTO call_parts (project_id, id, kind, trace_id)
{include walk_to_delete}
SELECT DISTINCT {project_id:String}, id, 'deletion', trace_id
FROM call_parts
WHERE project_id = {project_id:String}
    AND trace_id IN (SELECT arrayJoin(asked.1))
    AND kind IN ('start', 'whole')
    AND reinterpretAsUInt128(sipHash128(trace_id, id)) GLOBAL IN
    (
        SELECT key
        FROM jump
        WHERE (NOT is_moving OR step = last_step)
            AND is_settled
    )
