-- Deletes prices of a project by id, but no default prices and none of other projects. Each row is inserted again with
-- `is_deleted`. Its `created_at` has to be later than that of the row it replaces, even if that was set by a clock ahead.
INSERT INTO llm_token_prices (* EXCEPT (created_at, is_deleted), created_at, is_deleted)
SELECT
    * EXCEPT (created_at, is_deleted),
    greatest(now64(6), created_at + toIntervalMicrosecond(1)),
    1
FROM llm_token_prices FINAL
WHERE pricing_level = 'project'
    AND pricing_level_id = {project_id:String}
    AND id IN (SELECT arrayJoin({cost_ids:Array(String)}))
