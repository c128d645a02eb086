-- What lists of traces need of each trace. Rollups made before have none of it; they are of other rules, and so are not used.

-- The top calls, by start, then by key; so the first is the root of the trace. `ended_us` is that of merged_calls: the first
-- instant of 1900 without an end. `is_root`: whether the call has no parent, not only one that is missing or deleted.
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `tops.started_us` Array(Int64);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `tops.key` Array(UInt128);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `tops.ended_us` Array(Int64);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `tops.op_name` Array(String);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `tops.wb_user_id` Array(String);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `tops.thread_id` Array(String);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `tops.is_root` Array(UInt8);

-- The groups without what does not decide a price: usage of one model, service tier, quarter of an hour and class of prompt
-- sizes. There are a few a trace, so costs of a whole project take a fifth of the time that they take from groups.
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `sums.model` Array(String);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `sums.service_tier` Array(String);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `sums.min_started_us` Array(Int64);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `sums.max_started_us` Array(Int64);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `sums.min_prompt_size` Array(Int64);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `sums.max_prompt_size` Array(Int64);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `sums.counters` Array(Array(UInt128));

-- Of the whole trace.
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS calls UInt64;
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS errors UInt64;
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS unfinished_calls UInt64;
