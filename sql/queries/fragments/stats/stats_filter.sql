-- Whether a call exists, is not deleted, and matches the filter of a request for statistics. Of calls and
-- parents, the filter has the traces in which they are: that of each with `is_located`, otherwise those in which an id may
-- be, since a request that names traces means the ids of these.
{include has_start}
AND NOT is_deleted
AND {include stats_names}
AND (
    NOT {has_call_ids:Bool}
    OR key IN (
        SELECT reinterpretAsUInt128(sipHash128(
            {call_traces:Array(String)}[number],
            arrayJoin(if({is_located:Bool}, [{call_ids:Array(String)}[number]], {call_ids:Array(String)}))))
        FROM (SELECT arrayJoin(arrayEnumerate({call_traces:Array(String)})) AS number)
    )
)
AND (
    NOT {has_parent_ids:Bool}
    OR parent IN (
        SELECT reinterpretAsUInt128(sipHash128(
            {parent_traces:Array(String)}[number],
            arrayJoin(if({is_located:Bool}, [{parent_ids:Array(String)}[number]], {parent_ids:Array(String)}))))
        FROM (SELECT arrayJoin(arrayEnumerate({parent_traces:Array(String)})) AS number)
    )
)
