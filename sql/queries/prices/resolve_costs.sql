-- For each of `models`, the price that applies to a call that starts at `at` with `prompt_tokens` prompt tokens, in the
-- order of preference of usage_tree_walk.sql; no row for a model without a price.
SELECT
    requested.llm_id AS llm_id,
    price.id AS id,
    price.pricing_level AS pricing_level,
    price.provider_id AS provider_id,
    price.alias_of AS alias_of,
    price.match_rule AS match_rule,
    formatDateTime(price.effective_date, '%Y-%m-%dT%H:%i:%S.%fZ') AS effective_date,
    price.prompt_tokens_above AS prompt_tokens_above,
    price.prompt_token_cost AS prompt_token_cost,
    price.completion_token_cost AS completion_token_cost,
    price.cache_read_input_token_cost AS cache_read_input_token_cost,
    price.cache_creation_input_token_cost AS cache_creation_input_token_cost
FROM (SELECT DISTINCT arrayJoin({models:Array(String)}) AS llm_id) AS requested
INNER JOIN
(
    SELECT *, effective_date <= {at:DateTime64(6, 'UTC')} AS is_in_force
    FROM llm_token_prices FINAL
    WHERE (pricing_level, pricing_level_id) IN (('default', 'default'), ('project', {project_id:String}))
        AND service_tier = '' AND empty(minutes_of_week)
        AND (prompt_tokens_above = 0 OR prompt_tokens_above < {prompt_tokens:UInt64})
) AS price ON price.llm_id = requested.llm_id
ORDER BY
    alias_of = '' DESC,
    is_in_force DESC,
    pricing_level DESC,
    if(is_in_force, 1, -1) * toUnixTimestamp64Micro(price.effective_date) DESC,
    prompt_tokens_above DESC,
    price.created_at DESC,
    price.id DESC
LIMIT 1 BY requested.llm_id
SETTINGS join_use_nulls = 0
