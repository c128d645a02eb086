-- Whether a call has more total tokens than its counts of the array `fields` have, or more cached tokens than prompt tokens.
fields[total_tokens] > fields[prompt_tokens] + fields[completion_tokens] + fields[input_tokens] + fields[output_tokens]
    OR fields[cache_read] + fields[cache_write] + fields[cached_prompt] + fields[cached_input]
        > fields[prompt_tokens] + fields[input_tokens]
