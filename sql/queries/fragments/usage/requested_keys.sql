-- The keys of `call_ids`; trace_ids[n] is the trace of call_ids[n].
arrayMap(
    (trace_id, id) -> reinterpretAsUInt128(sipHash128(trace_id, id)),
    {trace_ids:Array(String)},
    {call_ids:Array(String)}) AS requested_keys
