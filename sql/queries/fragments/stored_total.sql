-- The total tokens of a call of all models as it stored them, before tokens beside the counts are added.
arraySum(
    counters -> toUInt128(if(
        {include is_one_pair},
        greatest(counters[gross_input], counters[prompt_tokens]) + counters[completion_tokens],
        greatest(
            counters[total_tokens],
            greatest(counters[gross_input], counters[prompt_tokens] + counters[input_tokens])
                + counters[completion_tokens] + counters[output_tokens]))),
    arrayMap(used -> used.counters, usage))
