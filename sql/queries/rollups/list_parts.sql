-- The active parts of merged_calls: those that were not listed before have all rows that were stored since.
SELECT name
FROM system.parts
WHERE database = currentDatabase() AND table = 'merged_calls' AND active
ORDER BY name
