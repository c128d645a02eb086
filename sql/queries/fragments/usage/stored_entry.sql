-- What price_class.sql and raw_sums.sql read of `used`, the entry at `position` of the stored usage of `call`.
position < 2 AS is_first_row,
used.counters AS fields,
fields[prompt_tokens] + fields[input_tokens] AS prompt,
fields[requests] AS request_count,
call.started_us AS started_us
