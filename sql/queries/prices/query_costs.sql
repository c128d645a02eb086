-- The prices of a project, without default prices, at most `max_costs`; decimals are text.
SELECT
    id,
    llm_id,
    provider_id,
    formatDateTime(effective_date, '%Y-%m-%dT%H:%i:%S.%fZ') AS effective_date,
    prompt_token_cost,
    completion_token_cost,
    cache_read_input_token_cost,
    cache_creation_input_token_cost,
    cache_creation_1h_input_token_cost,
    audio_input_token_cost,
    audio_output_token_cost,
    prompt_token_cost_unit,
    completion_token_cost_unit,
    prompt_tokens_above,
    service_tier,
    minutes_of_week
FROM llm_token_prices FINAL
WHERE pricing_level = 'project'
    AND pricing_level_id = {project_id:String}
ORDER BY llm_id, effective_date, id
LIMIT {max_costs:UInt64}
SETTINGS output_format_json_named_tuples_as_objects = 1
