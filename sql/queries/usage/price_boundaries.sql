-- At which times (microseconds since 1970) and above which prompt sizes (tokens) do prices of the project change?
-- Between two neighbouring times and two neighbouring sizes, all calls of a model have the same price per token.
SELECT
    arraySort(groupUniqArray(toUnixTimestamp64Micro(effective_date))) AS dates,
    arraySort(groupUniqArray(prompt_tokens_above)) AS prompt_sizes
FROM llm_token_prices
WHERE pricing_level_id IN ('default', {project_id:String})
