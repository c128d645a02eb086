-- The same as usage_flat_sum.sql for traces whose ids grow with time, such as UUIDs of version 7. They need no join with
-- parents: where each parent's id is smaller than its child's (`is_after_parent`) there is no cycle, and where the keys
-- and parents of a trace are not more values than its calls and the root's 0 (`keys`), no parent is missing. A trace is
-- several rows, so the sets of its rows are merged.
WITH
{include usage_fields}
SELECT
    * EXCEPT (key_set),
    uniqExactArrayIfMerge(key_set) OVER (PARTITION BY call_key) AS keys
FROM
(
    WITH
        {include stored_entry}
    SELECT
        call.trace_id AS call_key,
        used.model AS model,
        used.service_tier AS service_tier,
        {include price_class},
        max(call.is_deleted) AS needs_tree_walk,
        max(NOT call.is_after_parent) AS is_unordered,
        uniqExactArrayIfState([call.parent, call.key], is_first_row) AS key_set,
        countIf(call.parent = 0 AND is_first_row) AS roots,
        {include raw_sums}
    FROM
    (
        SELECT *
        {include from_requested_traces}
    ) AS call
    LEFT ARRAY JOIN call.usage AS used, arrayEnumerate(call.usage) AS position
    GROUP BY call_key, model, service_tier, period_us, prompt_size, minute_of_week
)
{include planning_settings}
