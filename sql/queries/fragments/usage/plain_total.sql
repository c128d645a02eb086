-- The total tokens of a call of all models, if no counter says more than prompt and completion (has_excess.sql).
arraySum(
    used -> toUInt128(arraySum(arraySlice(used.counters, prompt_tokens, 5)) - used.counters[total_tokens]),
    usage)
