-- Prices of every class of tokens, of service tiers and of hours (docs/prices.md).

ALTER TABLE llm_token_prices
    -- Null: the price of other cache writes.
    ADD COLUMN IF NOT EXISTS cache_creation_1h_input_token_cost Nullable(Decimal(76, 30))
        AFTER cache_creation_input_token_cost,
    -- Null: the prompt price.
    ADD COLUMN IF NOT EXISTS audio_input_token_cost Nullable(Decimal(76, 30))
        AFTER cache_creation_1h_input_token_cost,
    -- Null: the completion price.
    ADD COLUMN IF NOT EXISTS audio_output_token_cost Nullable(Decimal(76, 30)) AFTER audio_input_token_cost,
    -- The row applies to calls of this service tier: 'batch', 'flex' or 'priority'; empty: to all for which there is no
    -- row of their own.
    ADD COLUMN IF NOT EXISTS service_tier LowCardinality(String) DEFAULT '',
    -- The row applies in these minutes of the week only, in UTC: from `start`, inclusive, to `end`, exclusive, counted
    -- from Monday 00:00. Empty: always.
    ADD COLUMN IF NOT EXISTS minutes_of_week Array(Tuple(start UInt16, end UInt16)) DEFAULT [];
