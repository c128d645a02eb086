-- Names for the positions in `counters` of calls.usage, and for the value of `open_id` of a call that has ended.
1 AS requests,
2 AS prompt,
3 AS completion,
4 AS total,
5 AS cache_read,
6 AS cache_creation,
7 AS uncached_prompt,
'\xFF' AS ended
