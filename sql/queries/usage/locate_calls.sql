-- Which of `call_ids` exist, in which traces, and what decides which statement computes their usage: is the call a
-- root, and did its SDK add the usage of its children to its own?
SELECT
    transform(
        key,
        arrayMap(id -> reinterpretAsUInt128(sipHash128(id)), {call_ids:Array(String)}),
        {call_ids:Array(String)},
        '') AS call_id,
    trace_id,
    is_root,
    is_rolled_up
{include from_requested_call_traces}
