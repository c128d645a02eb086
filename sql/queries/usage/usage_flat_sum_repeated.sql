-- The same as usage_flat_sum.sql for traces with spans of OpenTelemetry, without what spans repeat: the counting rule
-- (docs/usage.md) for whole traces, in one scan and without a join (docs/decisions/0017-usage-of-spans.md). The calls of
-- a trace are an array, in the order in which the rule prefers them: later started first, then earlier ended, then the
-- greater key. arrayEnumerateDense numbers values as they occur first, so of `arrayConcat(a, b)` with different values in
-- `a`, the numbers of `b` up to `length(a)` are positions in `a`, and greater ones say that a value is not in `a`. No
-- array is captured by a function of another one, which would copy it for each element.
--
-- It is wrong for a trace of more than `max_calls` calls (`is_large`); where usage is above more than `max_levels` spans
-- without usage in a chain, calls of other modes have responses, or too many spans may be twins (`needs_rule`); and as
-- other flat sums are.
WITH
{include usage_fields},
10000 AS max_calls,
16 AS max_levels,
10000 AS max_comparisons,
traces AS
(
    SELECT
        trace_id,
        count() AS calls,
        countIf(parent = 0) AS roots,
        max(is_deleted) AS has_deleted,
        groupBitOr(usage_mode) AS usage_modes,
        max(sdk_version BETWEEN 1 AND last_native_sdk) AS is_native_sdk,
        max(usage_mode != 2 AND response != 0 AND has_usage) AS has_other_response,
        groupArrayIf(open_id, open_id != ended) AS unfinished_call_ids,
        arraySort(groupArray(max_calls)((
            -started_us,
            ended_us,
            bitNot(key),
            parent,
            usage_mode = 2,
            has_usage,
            NOT has_usage AND span_kind != 2,
            if(usage_mode = 2 AND span_kind != 3 AND response != 0, toUInt128(response), key),
            if(usage_mode = 2 AND span_kind = 1 AND parent != 0, reinterpretAsUInt128(sipHash128(
                parent,
                arraySum(used -> used.counters[prompt_tokens] + used.counters[input_tokens], usage),
                arraySum(used -> used.counters[completion_tokens] + used.counters[output_tokens], usage))), key),
            response != 0,
            scope,
            usage
        )::Tuple(
            reversed_start Int64, ended_us Int64, reversed_key UInt128, parent UInt128, is_span Bool, has_usage Bool,
            is_passed Bool, same_response UInt128, same_usage UInt128, has_response Bool, scope UInt64,
            usage Array(Tuple(model String, counters Array(UInt64), service_tier String, facts UInt8))))) AS spans
    FROM
    (
        SELECT
            *,
            arrayExists(
                used -> arraySum(used.counters) > used.counters[requests] + used.counters[unknown_requests],
                usage) AS has_usage
        {include from_requested_traces}
    )
    GROUP BY trace_id
),
-- `above_usage` are the positions of all calls that have usage below them without a tool between: parents of calls with
-- usage, and, level by level, the parents of those among them that are neither tools nor have usage. A position of 0 says
-- that the last level has found more.
trees AS
(
    SELECT
        *,
        arrayEnumerate(spans) AS positions,
        arraySlice(
            arrayEnumerateDense(arrayConcat(arrayMap(key -> bitNot(key), spans.reversed_key), spans.parent)),
            length(spans) + 1) AS parents,
        arrayFold(
            (above, level) -> arrayMap(
                next -> if(level = max_levels - 1 AND length(next) > length(above), arrayPushBack(next, 0), next),
                [arrayDistinct(arrayConcat(
                    above,
                    arrayFilter(
                        (parent, number) -> number <= length(above),
                        arrayFilter((parent, is_passed) -> is_passed, parents, spans.is_passed),
                        arraySlice(
                            arrayEnumerateDense(arrayConcat(
                                above,
                                arrayFilter((position, is_passed) -> is_passed, positions, spans.is_passed))),
                            length(above) + 1))))])[1],
            range(least(arrayCount(spans.is_passed), max_levels)),
            arrayDistinct(arrayFilter((parent, has_usage) -> has_usage, parents, spans.has_usage))) AS above_usage
    FROM traces
),
-- `remaining` are the calls that the first part of the rule leaves. A parent that stands before its child, where a cycle
-- would have one, or that is missing, needs a tree walk.
remaining_calls AS
(
    SELECT
        * EXCEPT (spans, positions, parents, above_usage),
        has_deleted OR arrayExists(
            (position, parent_position, parent) -> parent != 0
                AND (parent_position <= position OR parent_position > length(spans)),
            positions,
            parents,
            spans.parent) AS needs_tree_walk,
        has(above_usage, 0) AS is_deep,
        arrayFilter(
            (span, number) -> NOT span.is_span OR span.has_usage AND number > length(above_usage),
            spans,
            arraySlice(arrayEnumerateDense(arrayConcat(above_usage, positions)), length(above_usage) + 1)) AS remaining
    FROM trees
),
-- `counted` is the usage of the calls that the other parts leave. Only where spans of two scopes have the same parent and
-- counts, each call is compared with all others.
counted_calls AS
(
    SELECT
        * EXCEPT (remaining),
        arrayUniq(remaining.same_usage) != arrayUniq(remaining.same_usage, remaining.scope) AS has_twins,
        has_twins AND length(remaining) * length(remaining) > max_comparisons AS has_many_twins,
        if(has_twins AND NOT has_many_twins, remaining, []) AS twins,
        arrayFlatten(arrayMap(
            (span, place, position) -> if(
                place = 1 AND NOT arrayExists(
                    (other, other_position) -> other_position < position
                        AND other.same_usage = span.same_usage
                        AND other.scope != span.scope
                        AND other.ended_us <= span.ended_us
                        AND NOT (other.has_response AND span.has_response),
                    twins,
                    arrayEnumerate(twins)),
                arrayMap(used -> (span.reversed_start, used), span.usage),
                []),
            remaining,
            arrayEnumerateUniq(remaining.same_response),
            arrayEnumerate(remaining))) AS counted
    FROM remaining_calls
)
SELECT
    trace_id AS call_key,
    used.model AS model,
    used.service_tier AS service_tier,
    {include price_class},
    max(trace.needs_tree_walk) AS needs_tree_walk,
    max(trace.has_other_response OR is_deep OR trace.has_many_twins) AS needs_rule,
    max(trace.calls > max_calls) AS is_large,
    max(trace.usage_modes) AS usage_modes,
    max(trace.is_native_sdk) AS is_native_sdk,
    groupBitOr(used.facts) AS facts,
    max({include has_excess}) AS has_excess,
    sumIf(trace.roots, is_first_row) AS roots,
    sumIf(trace.calls, is_first_row) AS calls,
    anyIf(trace.unfinished_call_ids, is_first_row) AS unfinished_call_ids,
    sumForEach(CAST(fields, 'Array(UInt128)')) AS counters
FROM
(
    SELECT
        *,
        position < 2 AS is_first_row,
        -call.1 AS started_us,
        call.2 AS used,
        used.counters AS fields,
        fields[prompt_tokens] + fields[input_tokens] AS prompt,
        fields[requests] AS request_count
    FROM counted_calls
    LEFT ARRAY JOIN counted AS call, arrayEnumerate(counted) AS position
) AS trace
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
{include planning_settings}
