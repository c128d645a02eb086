-- What is subtracted from usage because it is that of children: what the counting rules make of what is stored, minus what
-- they make of the rest. Requests, prompt, completion and total; empty unless an explanation is requested. ClickHouse then
-- drops the sum from the plan, which it does only where both branches of `if` have the same type.
--
-- Where the rest has more of a counter than what is stored, the number is below 0: Google's total, for example, may say
-- of the rest that tokens are the prompt of tools which were completion tokens before.
if(
    {is_explained:Bool},
    sumForEach(arrayMap(
        (of_stored, of_rest) -> toInt128(of_stored) - of_rest,
        arraySlice(counts[2], 1, 4),
        arraySlice(counts[1], 1, 4))),
    CAST([], 'Array(Int128)')) AS double_counted
