-- The version of the price book that was loaded last, which its rows have in `created_by`; no row before the first load.
SELECT created_by
FROM llm_token_prices
WHERE pricing_level = 'default' AND pricing_level_id = 'default' AND startsWith(id, 'book:')
ORDER BY created_at DESC
LIMIT 1
