-- Every moment at which a price of the project changes, in microseconds, and every prompt size above which it does:
-- between two of each, calls of one model cost the same per token.
SELECT
    arraySort(groupUniqArray(toUnixTimestamp64Micro(effective_date))) AS dates,
    arraySort(groupUniqArray(prompt_tokens_above)) AS prompt_sizes
FROM llm_token_prices
WHERE pricing_level_id IN ('default', {project_id:String})
