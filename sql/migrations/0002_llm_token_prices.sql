-- Prices per token, as in Weave: default rows for everybody (`pricing_level_id` is 'default'), project rows for one.
-- Which row applies to a call is decided when the question is asked (sql/queries/calls_usage.sql).
-- A row is taken back by the same row with `is_deleted` 1 and a later `created_at`.
CREATE TABLE IF NOT EXISTS llm_token_prices
(
    id String,
    pricing_level Enum8('default' = 1, 'project' = 2),
    pricing_level_id String,
    provider_id String,
    llm_id String,
    effective_date DateTime64(6, 'UTC'),
    -- 30 decimals hold every price that a JSON number can bring, such as 1.1000000000000001e-06.
    prompt_token_cost Decimal(76, 30),
    completion_token_cost Decimal(76, 30),
    cache_read_input_token_cost Nullable(Decimal(76, 30)),
    cache_creation_input_token_cost Nullable(Decimal(76, 30)),
    prompt_token_cost_unit LowCardinality(String) DEFAULT 'USD',
    completion_token_cost_unit LowCardinality(String) DEFAULT 'USD',
    created_by String,
    created_at DateTime64(6, 'UTC') DEFAULT now64(6),
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(created_at, is_deleted)
ORDER BY (pricing_level, pricing_level_id, llm_id, id);
