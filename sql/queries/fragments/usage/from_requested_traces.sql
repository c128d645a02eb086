-- The calls of the traces `trace_ids`, one row each; a WHERE may follow. PREWHERE drops the other rows of a granule before
-- FINAL merges them, which takes a third off a page. It may name columns of the sorting key only, which all rows of a call
-- share.
FROM merged_calls FINAL
PREWHERE project_id = {project_id:String}
    AND trace_id IN (SELECT arrayJoin({trace_ids:Array(String)}))
