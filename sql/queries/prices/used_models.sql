-- The models of a project's calls: how many calls used each one, and their usage as stored; sorted by the number of calls,
-- descending. Only calls that started from `after` (inclusive) to `before` (exclusive).
SELECT
    used.model AS llm_id,
    count() AS calls,
    sumForEach(CAST(used.counters, 'Array(UInt128)')) AS counters
FROM
(
    SELECT *
    FROM calls FINAL
    WHERE project_id = {project_id:String}
        AND started_us >= toUnixTimestamp64Micro({after:DateTime64(6, 'UTC')})
        AND started_us < toUnixTimestamp64Micro({before:DateTime64(6, 'UTC')})
        AND NOT is_deleted
)
ARRAY JOIN usage AS used
GROUP BY llm_id
ORDER BY calls DESC, llm_id
LIMIT {max_models:UInt64}
