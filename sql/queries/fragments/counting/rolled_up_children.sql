-- Of each call, its rolled-up children, deleted ones included: the usage of those that ended, and the ids of the deleted
-- ones that did not. A call that is its own parent is not its own child.
(
    SELECT
        parent,
        groupArrayIf(
            (ended_us, usage)::Tuple(ended_us Int64, usage Array(Tuple(
                model String, counters Array(UInt64), service_tier String, facts UInt8))),
            open_id = ended) AS children,
        groupArrayIf(open_id, is_deleted AND open_id NOT IN ('', ended)) AS deleted_open_ids
    {include from_requested_traces}
    WHERE usage_mode = 1
        AND parent NOT IN (0, key)
    GROUP BY parent
)
