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

-- The sum of this over all rows of a project, or of the default prices, is the version of its prices: it changes with
-- every insert, deletion and update, whoever makes it, and a sum is cheap to read. Computing the hash when the version
-- is read takes 13 ms for the price book instead of 3.
ALTER TABLE llm_token_prices
    ADD COLUMN IF NOT EXISTS row_hash UInt128 MATERIALIZED reinterpretAsUInt128(sipHash128(
        id, pricing_level_id, provider_id, llm_id, created_by,
        prompt_token_cost_unit, completion_token_cost_unit, alias_of, match_rule, service_tier,
        toString((
            pricing_level, effective_date, prompt_token_cost, completion_token_cost, cache_read_input_token_cost,
            cache_creation_input_token_cost, cache_creation_1h_input_token_cost, audio_input_token_cost,
            audio_output_token_cost, created_at, is_deleted, prompt_tokens_above, minutes_of_week))));

ALTER TABLE llm_token_prices MATERIALIZE COLUMN row_hash SETTINGS mutations_sync = 2;
