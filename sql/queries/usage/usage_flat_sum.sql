-- What did whole traces use? One row per trace, model and price class. This gives the same answer as
-- usage_tree_walk.sql in half the time, for the roots of traces as OpenTelemetry and REST clients send them: if every
-- call of a trace descends from its single root, and no usage is rolled up, then the flat sum of the trace is the
-- answer.
--
-- The rows report whether that is so, and src/usage/query/query-usage.ts uses another statement if it does not: if a trace
-- has not exactly one root (`roots`), if `needs_tree_walk` is set, if `usage_modes` has others than own, or if sums of what
-- is stored do not say how tokens count.
WITH
{include usage_fields},
{include stored_entry}
SELECT
    call.trace_id AS call_key,
    used.model AS model,
    used.service_tier AS service_tier,
    {include price_class},
    {include is_out_of_order},
    countIf(call.parent = 0 AND is_first_row) AS roots,
    {include raw_sums}
FROM
(
    SELECT *
    {include from_requested_traces}
) AS call
-- A second scan, because ClickHouse does not reuse the result of a subquery; without a parent its columns are 0.
LEFT ANY JOIN
(
    SELECT key, started_us
    {include from_requested_traces}
) AS parent_call ON parent_call.key = call.parent
LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
