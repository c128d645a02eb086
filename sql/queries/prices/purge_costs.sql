-- Takes prices of a project back, by their ids: each is stored once more as deleted, later than it was made. Default
-- prices and those of other projects are out of reach.
INSERT INTO llm_token_prices (* EXCEPT (created_at, is_deleted), created_at, is_deleted)
SELECT
    * EXCEPT (created_at, is_deleted),
    greatest(now64(6), created_at + toIntervalMicrosecond(1)),
    1
FROM llm_token_prices FINAL
WHERE pricing_level = 'project'
    AND pricing_level_id = {project_id:String}
    AND id IN (SELECT arrayJoin({cost_ids:Array(String)}))
