-- Default prices of the sample traces' models, in USD per token, each from the date of the model's release.
-- Source: the npm package @pydantic/genai-prices 0.1.8 (MIT), read on 2026-11-23; an embedding has no completion.
INSERT INTO llm_token_prices
    (id, pricing_level, pricing_level_id, provider_id, llm_id, effective_date,
    prompt_token_cost, completion_token_cost, cache_read_input_token_cost, cache_creation_input_token_cost,
    created_by, created_at)
VALUES
    ('default-gpt-4o', 'default', 'default', 'openai', 'gpt-4o', '2024-08-06 00:00:00',
        '0.0000025', '0.00001', '0.00000125', NULL, 'genai-prices 0.1.8', '2026-11-23 00:00:00'),
    ('default-gpt-4o-mini', 'default', 'default', 'openai', 'gpt-4o-mini', '2024-07-18 00:00:00',
        '0.00000015', '0.0000006', '0.000000075', NULL, 'genai-prices 0.1.8', '2026-11-23 00:00:00'),
    ('default-text-embedding-3-small', 'default', 'default', 'openai', 'text-embedding-3-small', '2024-01-25 00:00:00',
        '0.00000002', '0', NULL, NULL, 'genai-prices 0.1.8', '2026-11-23 00:00:00'),
    ('default-claude-sonnet-4-5', 'default', 'default', 'anthropic', 'claude-sonnet-4-5', '2025-09-29 00:00:00',
        '0.000003', '0.000015', '0.0000003', '0.00000375', 'genai-prices 0.1.8', '2026-11-23 00:00:00'),
    ('default-claude-sonnet-4-5-20250929', 'default', 'default', 'anthropic', 'claude-sonnet-4-5-20250929',
        '2025-09-29 00:00:00',
        '0.000003', '0.000015', '0.0000003', '0.00000375', 'genai-prices 0.1.8', '2026-11-23 00:00:00'),
    ('default-gemini-2.5-flash', 'default', 'default', 'google', 'gemini-2.5-flash', '2025-06-17 00:00:00',
        '0.0000003', '0.0000025', '0.00000003', NULL, 'genai-prices 0.1.8', '2026-11-23 00:00:00');
