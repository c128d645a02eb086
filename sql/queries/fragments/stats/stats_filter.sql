-- Whether a call exists, is not deleted, and matches the filter of a request for statistics. Of calls and
-- parents, the filter has the traces in which they are.
{include has_start}
AND NOT is_deleted
AND {include stats_names}
AND (
    NOT {has_call_ids:Bool}
    OR key IN (
        SELECT reinterpretAsUInt128(sipHash128(call.1, call.2))
        FROM (SELECT arrayJoin(arrayZip({call_traces:Array(String)}, {call_ids:Array(String)})) AS call)
    )
)
AND (
    NOT {has_parent_ids:Bool}
    OR parent IN (
        SELECT reinterpretAsUInt128(sipHash128(call.1, call.2))
        FROM (SELECT arrayJoin(arrayZip({parent_traces:Array(String)}, {parent_ids:Array(String)})) AS call)
    )
)
