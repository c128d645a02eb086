-- Which calls that match a filter are on one level of their traces, by start? The top calls, or those of a parent that the
-- filter names. A top call is present, and its parent is not, or is itself. `total` is how many there are.
WITH
{include usage_fields}
SELECT
    trace_id,
    key,
    started_us AS sort_us,
    count() OVER () AS total
{include from_listed_calls}
    AND if(
        {is_top:Bool},
        parent IN (0, key) OR parent GLOBAL NOT IN (
            SELECT key
            FROM
            (
                SELECT key, is_deleted, started_us
                {include from_stats_traces}
            )
            WHERE NOT is_deleted
                AND {include has_start}),
        parent != key)
ORDER BY started_us, trace_id, key
LIMIT {max_calls:UInt64} OFFSET {offset:UInt64}
