-- How many rows of `counted_usage` have usage, and of how many it is known what they used. Usage of which nothing is left is no
-- entry.
countIf(request_count + total > 0) AS entries,
countIf(request_count + total > 0 AND (total > 0 OR counts[1][11] < request_count)) AS known_entries
