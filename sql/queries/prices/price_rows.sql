-- All prices with a `pricing_level_id`, also those to ignore: of the stored versions of a row the one that counts, and
-- the sum of the hashes of all of them, so that rows and version (price_version.sql) are of the same moment.
--
-- As with FINAL, of the versions with the latest `created_at` the one that was inserted last counts.
SELECT
    id,
    pricing_level,
    provider_id,
    llm_id,
    toUnixTimestamp64Micro(llm_token_prices.effective_date) AS effective_us,
    formatDateTime(llm_token_prices.effective_date, '%Y-%m-%dT%H:%i:%S.%fZ') AS effective_date,
    toUnixTimestamp64Micro(created_at) AS created_us,
    prompt_tokens_above,
    service_tier,
    minutes_of_week,
    prompt_token_cost,
    completion_token_cost,
    cache_read_input_token_cost,
    cache_creation_input_token_cost,
    cache_creation_1h_input_token_cost,
    audio_input_token_cost,
    audio_output_token_cost,
    -- Rows of model aliases: services of earlier releases store them.
    is_deleted OR alias_of != '' AS is_ignored,
    sum(row_hash) OVER (PARTITION BY pricing_level, llm_id, id) AS row_hashes
FROM llm_token_prices
WHERE pricing_level_id = {pricing_level_id:String}
ORDER BY created_at DESC, toUInt64(splitByChar('_', _part)[2]) DESC, _part_offset DESC
LIMIT 1 BY pricing_level, llm_id, id
SETTINGS output_format_json_named_tuples_as_objects = 1
