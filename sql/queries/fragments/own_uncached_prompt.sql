-- The prompt tokens of the counters `own` that were neither read from nor written to a cache. If there are more
-- cached tokens than prompt tokens, the SDK did not count them as part of the prompt, and all of the prompt is
-- uncached.
if(
    own[prompt] < own[cache_read] + own[cache_creation],
    own[prompt],
    own[prompt] - own[cache_read] - own[cache_creation])
