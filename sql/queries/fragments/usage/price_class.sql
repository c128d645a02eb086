-- What decides which price of a model applies: between two neighbours of each list all calls have the same price. A
-- prompt size is that of one request. Minutes count from Monday 00:00 UTC; 4,000 weeks are added, because intDiv rounds
-- numbers below 0 up.
roundDown(started_us, {price_dates:Array(Int64)}) AS period_us,
roundDown(intDiv(prompt - 1, greatest(request_count, 1)), {prompt_sizes:Array(Int64)}) AS prompt_size,
roundDown(intDiv(started_us + 2419459200000000, 60000000) % 10080, {price_minutes:Array(UInt16)}) AS minute_of_week
