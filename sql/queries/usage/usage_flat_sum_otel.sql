-- The same as usage_flat_sum.sql for traces with spans of OpenTelemetry, which repeat usage. Most repeat nothing, and then
-- the flat sum is the answer. `needs_rule` is 0 for a trace of which that is shown (docs/decisions/0017-usage-of-spans.md):
-- 1. below a span with usage there are only tools without usage (`is_above_calls`);
-- 2. no two calls with usage have the same response, agents aside;
-- 3. all inference spans have one scope, or no two with one parent have the same counts;
-- 4. no span has requests without tokens.
WITH
{include usage_fields}
SELECT
    * EXCEPT (
        is_above_calls, responses, different_responses, min_scope, max_scope, inferences, different_inferences),
    max(is_above_calls) OVER trace
        OR sum(responses) OVER trace != uniqExactIfMerge(different_responses) OVER trace
        OR minIf(min_scope, inferences > 0) OVER trace != maxIf(max_scope, inferences > 0) OVER trace
            AND sum(inferences) OVER trace != uniqExactIfMerge(different_inferences) OVER trace AS needs_rule
FROM
(
    WITH
        {include stored_entry},
        is_first_row AND call.span_kind != 3 AND call.response != 0 AND notEmpty(call.usage) AS has_response,
        is_first_row AND call.span_kind = 1 AND notEmpty(call.usage) AS is_inference
    SELECT
        call.trace_id AS call_key,
        used.model AS model,
        used.service_tier AS service_tier,
        {include price_class},
        {include is_out_of_order},
        max(parent_call.is_span_with_usage AND NOT (call.span_kind = 2 AND empty(call.usage))
            OR call.usage_mode = 2 AND fields[requests] > 0 AND arraySum(fields) = fields[requests] + fields[unknown_requests]) AS is_above_calls,
        countIf(has_response) AS responses,
        uniqExactIfState(call.response, has_response) AS different_responses,
        minIf(call.scope, is_inference) AS min_scope,
        maxIf(call.scope, is_inference) AS max_scope,
        countIf(is_inference) AS inferences,
        uniqExactIfState(
            (
                call.parent,
                arraySum(each -> each.counters[prompt_tokens] + each.counters[input_tokens], call.usage),
                arraySum(each -> each.counters[completion_tokens] + each.counters[output_tokens], call.usage)
            ),
            is_inference) AS different_inferences,
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
        SELECT key, started_us, usage_mode = 2 AND notEmpty(usage) AS is_span_with_usage
        {include from_requested_traces}
    ) AS parent_call ON parent_call.key = call.parent
    LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
    GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
)
WINDOW trace AS (PARTITION BY call_key)
{include planning_settings}
