-- The traces of a project whose root started in a window and that match a filter, from their rollups: sums over all of them,
-- and the first `limit` of them in the order of `sort_by`, after a cursor. One row.
--
-- Traces that their rollup does not answer are in `live_trace_ids`, at most `max_live` of them: those without a valid one,
-- whenever they started, and those with a sum inside of which a price begins. So each trace is on one side, at one moment.
-- Of all costs and durations, `around_percentiles` has those that may be a percentile together with the values of these traces.
--
-- `class_…` are the price classes for which the service has chosen prices: integers of 10^-30 USD for each class of tokens, or
-- nothing without a price. Positions in `counters` are those of counting_rules.sql. A sum of another class, which is newer than these, is counted in `unknown_classes`.
WITH
arrayMap(
    (model, service_tier, period_us, prompt_size, minute) -> reinterpretAsUInt128(sipHash128(
        model, service_tier, period_us, prompt_size, minute)),
    {class_models:Array(String)}, {class_service_tiers:Array(String)}, {class_periods:Array(Int64)},
    {class_prompt_sizes:Array(Int64)}, {class_minutes:Array(Int64)}) AS class_keys,
arrayMap(text -> arrayMap(each -> toInt256OrZero(each), splitByChar(',', text)), {class_prices:Array(String)}) AS class_prices
SELECT
    countIf(NOT is_live) AS traces,
    sum(trace_calls) AS calls,
    sum(trace_errors) AS errors,
    sum(trace_unfinished_calls) AS unfinished_calls,
    sum(trace_tokens) AS total_tokens,
    sum(trace_cost) AS cost,
    max(has_cost) AS is_any_priced,
    max(has_usage) AS is_any_used,
    arraySort(groupUniqArrayArray(trace_unpriced_models)) AS unpriced_models,
    sum(trace_unknown_classes) AS unknown_classes,
    countIf(is_live) AS live_traces,
    groupArrayIf({max_live:UInt32})(trace_id, is_live) AS live_trace_ids,
    arrayMap(
        values -> (
            length(values),
            arrayMap(
                percent -> arrayMap(
                    skipped -> (skipped, arraySlice(values, skipped + 1, 2 * live_traces + 3)),
                    [greatest(intDiv(percent * (toInt64(length(values)) - 1), 100) - toInt64(live_traces), 0)])[1],
                [50, 95, 99])),
        [
            arraySort(groupArrayIf(trace_cost, NOT is_live AND (has_cost OR NOT has_usage))),
            arraySort(groupArrayIf(toInt256(duration_us), NOT is_live AND duration_us >= 0))
        ]) AS around_percentiles,
    groupArraySortedIf({limit:UInt32})(
        (is_unknown, sort_value, trace_id, checksum),
        NOT is_live AND (is_unknown, sort_value, trace_id)
            > (CAST({after_unknown:UInt8}, 'UInt8'), toInt256({after_value:String}), {after_trace:String})) AS page
FROM
(
    SELECT
        *,
        if({sort_by:String} = 'duration', duration_us < 0, {sort_by:String} = 'cost' AND has_usage AND NOT has_cost) AS is_unknown,
        if({is_descending:Bool}, -1, 1) * multiIf(
            is_unknown, toInt256(0),
            {sort_by:String} = 'cost', trace_cost,
            {sort_by:String} = 'duration', toInt256(duration_us),
            {sort_by:String} = 'total_tokens', toInt256(trace_tokens),
            {sort_by:String} = 'call_count', toInt256(trace_calls),
            toInt256(started_us)) AS sort_value
    FROM
    (
        SELECT
            trace_id, checksum, is_live, started_us, duration_us,
            calls AS trace_calls,
            errors AS trace_errors,
            unfinished_calls AS trace_unfinished_calls,
            arraySum(counters -> counters[4], used.5) AS trace_tokens,
            arraySum(
                (counters, price) -> price[1] * counters[9] + price[2] * counters[5] + price[3] * counters[7]
                    + price[4] * counters[6] + price[5] * counters[8] + price[6] * (counters[3] - counters[10])
                    + price[7] * counters[10],
                used.5, prices) AS trace_cost,
            notEmpty(used) AS has_usage,
            arrayExists(
                (counters, price) -> length(price) = 7 AND (counters[11] < counters[1] OR counters[4] > 0),
                used.5, prices) AS has_cost,
            arrayFilter(
                (model, counters, price) -> length(price) != 7 OR counters[11] > 0,
                used.1, used.5, prices) AS trace_unpriced_models,
            countEqual(positions, 0) AS trace_unknown_classes
        FROM
        (
            SELECT
                *,
                arrayMap(position -> class_prices[position], positions) AS prices
            FROM
            (
                SELECT
                    *,
                    arrayMap(
                        (model, service_tier, sum_us, sum_size) -> transform(
                            reinterpretAsUInt128(sipHash128(
                                model,
                                service_tier,
                                roundDown(sum_us, {price_dates:Array(Int64)}),
                                roundDown(sum_size, {prompt_sizes:Array(Int64)}),
                                toInt64(roundDown(intDiv(sum_us + 2419459200000000, 60000000) % 10080, {price_minutes:Array(UInt16)})))),
                            class_keys,
                            arrayEnumerate(class_keys),
                            0),
                        used.1, used.2, used.3, used.4) AS positions
                FROM
                (
                    SELECT
                        trace_id,
                        checksum,
                        rules_version = 0 OR arrayExists(
                            (min_us, max_us, min_size, max_size) ->
                                roundDown(min_us, {price_dates:Array(Int64)}) != roundDown(max_us, {price_dates:Array(Int64)})
                                OR roundDown(min_size, {prompt_sizes:Array(Int64)}) != roundDown(max_size, {prompt_sizes:Array(Int64)}),
                            sums.min_started_us, sums.max_started_us, sums.min_prompt_size, sums.max_prompt_size) AS is_live,
                        tops.started_us[1] AS started_us,
                        tops.ended_us[1] AS ended_us,
                        tops.op_name[1] AS root_op_name,
                        tops.key[1] AS root_key,
                        groups.wb_user_id AS user_ids,
                        groups.thread_id AS threads,
                        if(ended_us < started_us, -1, ended_us - started_us) AS duration_us,
                        if(is_live, 0, calls) AS calls,
                        if(is_live, 0, errors) AS errors,
                        if(is_live, 0, unfinished_calls) AS unfinished_calls,
                        if(is_live OR NOT {with_sums:Bool}, [], arrayFilter(
                            sum -> sum.5[1] + sum.5[4] > 0,
                            arrayZip(
                                sums.model, sums.service_tier, sums.min_started_us, sums.min_prompt_size, sums.counters))) AS used
                    {include from_project_rollups}
                    WHERE rules_version = 0
                        OR notEmpty(tops.key) AND tops.started_us[1] >= {start_us:Int64} AND tops.started_us[1] < {end_us:Int64}
                            AND (is_live OR {include trace_filter}
                                AND (empty({models:Array(String)}) OR arrayExists(
                                    (model, counters) -> has({models:Array(String)}, model) AND counters[1] + counters[4] > 0,
                                    sums.model, sums.counters)))
                )
            )
        )
    )
)
{include project_rollup_settings}
