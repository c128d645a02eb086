-- Which version of its prices does a project see now? Of the default prices and of its own ones, the sums of the hashes of all
-- stored rows: equal versions mean equal prices.
--
-- The settings save 1 ms.
SELECT
    sumIf(row_hash, pricing_level_id = 'default') AS default_version,
    sumIf(row_hash, pricing_level_id = {project_id:String}) AS project_version
FROM llm_token_prices
WHERE pricing_level_id IN ('default', {project_id:String})
SETTINGS max_threads = 1, optimize_move_to_prewhere = 0
