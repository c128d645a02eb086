-- All default prices that come from the price book, to compare them with a new version of it. Default prices that an
-- operator has added have another author and are not returned.
SELECT
    id,
    llm_id,
    provider_id,
    toString(effective_date) AS effective_date,
    prompt_tokens_above,
    service_tier,
    minutes_of_week,
    toString(prompt_token_cost) AS prompt_token_cost,
    toString(completion_token_cost) AS completion_token_cost,
    toString(cache_read_input_token_cost) AS cache_read_input_token_cost,
    toString(cache_creation_input_token_cost) AS cache_creation_input_token_cost,
    toString(cache_creation_1h_input_token_cost) AS cache_creation_1h_input_token_cost,
    toString(audio_input_token_cost) AS audio_input_token_cost,
    toString(audio_output_token_cost) AS audio_output_token_cost,
    created_by,
    toString(created_at) AS created_at
FROM llm_token_prices FINAL
WHERE pricing_level = 'default'
    AND pricing_level_id = 'default'
    AND startsWith(created_by, {author:String})
