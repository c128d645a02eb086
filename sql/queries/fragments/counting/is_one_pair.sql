-- Whether an SDK has stored one pair of counts under both names, prompt and completion as well as input and output: the
-- total is then that of one pair, and each count counts once.
counters[prompt_tokens] = counters[input_tokens]
    AND counters[completion_tokens] = counters[output_tokens]
    AND counters[total_tokens] = counters[prompt_tokens] + counters[completion_tokens]
