-- Names for the positions in `counters` of merged_calls.usage (docs/call-parts.md) that every statement reads, for the value
-- of `open_id` of a call that has ended, and for the `sdk_version` of the last npm package `weave` that sends Anthropic's
-- counts as they are: pre-releases of 0.12.0. Reading past the end of an array gives 0.
1 AS requests,
2 AS prompt_tokens,
3 AS completion_tokens,
4 AS total_tokens,
5 AS input_tokens,
6 AS output_tokens,
7 AS cache_read,
8 AS cache_write,
9 AS cached_prompt,
10 AS cached_input,
26 AS unknown_requests,
'\xFF' AS ended,
1000000012000000 AS last_native_sdk
