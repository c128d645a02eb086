-- The same as usage_flat_sum.sql for traces whose SDK adds the usage of a call's children to the call's own usage, and
-- for usage that sums of what is stored do not say enough about: each call's own usage is found, and the counting rules
-- are applied to it. `counters` are those of src/prices/snapshot/chosen-price.ts.
--
-- An SDK adds a child's usage when the child ends. So what a call stored contains its children that ended no later than
-- the call and have no larger total; where a call stored no total, because the SDK overwrote it, all that ended.
WITH
{include usage_fields},
-- One row for each call and model, and a second one for its parent if that has added it.
added_usage AS
(
    WITH
        position < 2 AS is_first_row,
        call.usage_mode = 1 AND parent_call.usage_mode = 1
            AND call.open_id = ended AND call.ended_us <= parent_call.ended_us
            AND (call.stored_total <= parent_call.stored_total OR parent_call.stored_total = 0) AS is_added
    SELECT
        call.trace_id AS call_key,
        used.model AS model,
        if(is_call, call.key, call.parent) AS key,
        if(is_call, call.started_us, parent_call.started_us) AS started_us,
        call.parent = 0 AND is_first_row AS is_root,
        {include needs_tree_walk} AS needs_tree_walk,
        call.open_id AS open_id,
        call.sdk_version AS sdk_version,
        used.service_tier AS service_tier,
        used.facts AS facts,
        used.counters AS stored,
        is_call,
        is_call AND is_first_row AS has_call
    {include from_calls_with_parents}
    ARRAY JOIN if(is_added, [1, 0], [1]) AS is_call
),
own_usage AS
(
    SELECT
        any(call_key) AS call_key,
        model,
        any(started_us) AS started_us,
        countIf(is_call AND is_root) AS roots,
        max(needs_tree_walk) AS needs_tree_walk,
        countIf(has_call) AS calls,
        groupArrayIf(open_id, has_call AND open_id != ended) AS unfinished_call_ids,
        maxIf(sdk_version, is_call) AS sdk_version,
        anyIf(service_tier, is_call) AS service_tier,
        maxIf(facts, is_call) AS facts,
        CAST(sumForEachIf(stored, is_call), 'Array(Int64)') AS counters,
        sumForEachIf(CAST(stored, 'Array(UInt128)'), NOT is_call) AS added,
        arrayMap(
            (n, of_children) -> toInt64(n - least(n, of_children)),
            counters,
            arrayResize(added, length(counters))) AS own
    FROM added_usage
    GROUP BY key, model
    HAVING max(is_call)
),
{include counting_rules}
SELECT
    call_key,
    model,
    service_tier,
    period_us,
    prompt_size,
    minute_of_week,
    sum(roots) AS roots,
    max(needs_tree_walk) AS needs_tree_walk,
    sum(calls) AS calls,
    groupArrayArray(unfinished_call_ids) AS unfinished_call_ids,
    sumForEach(CAST(counted, 'Array(UInt128)')) AS counters
FROM counted_usage
GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
