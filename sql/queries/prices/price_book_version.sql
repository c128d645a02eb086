-- Which version of the price book was loaded last, as its rows say in `created_by`; nothing if none was.
SELECT created_by
FROM llm_token_prices
WHERE pricing_level = 'default' AND pricing_level_id = 'default' AND startsWith(id, 'book:')
ORDER BY created_at DESC
LIMIT 1
