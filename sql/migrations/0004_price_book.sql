-- What the price book needs (docs/prices.md).

ALTER TABLE llm_token_prices
    -- The row applies to calls whose prompt is larger than this; 0: to all.
    ADD COLUMN IF NOT EXISTS prompt_tokens_above UInt64 DEFAULT 0,
    -- The llm_id of which this is another name, and the rule by which that was found; empty for prices of their own.
    ADD COLUMN IF NOT EXISTS alias_of String DEFAULT '',
    ADD COLUMN IF NOT EXISTS match_rule LowCardinality(String) DEFAULT '';
