-- Which calls match the filter of a list? The next `max_calls` of them, by start or end, behind the call `after_…`. Calls
-- that have not ended are the last ones by end, in both directions. `sort_us` is ascending: it is negative in descending
-- lists.
WITH
{include usage_fields}
SELECT
    trace_id,
    key,
    if(
        {by_end:Bool},
        if(open_id = ended, ended_us * {direction:Int8}, 9223372036854775807),
        started_us * {direction:Int8}) AS sort_us
{include from_listed_calls}
    AND (
        NOT {is_continued:Bool}
        OR (sort_us, trace_id, key) > ({after_us:Int64}, {after_trace:String}, toUInt128({after_key:String}))
    )
ORDER BY sort_us, trace_id, key
LIMIT {max_calls:UInt64} OFFSET {offset:UInt64}
