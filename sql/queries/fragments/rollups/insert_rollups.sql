-- The columns that rollup_rows.sql returns.
INSERT INTO trace_rollups (
    project_id, trace_id, rules_version, checksum,
    `groups.top`, `groups.model`, `groups.op_name`, `groups.wb_user_id`, `groups.thread_id`, `groups.service_tier`,
    `groups.min_started_us`, `groups.max_started_us`, `groups.min_prompt_size`, `groups.max_prompt_size`,
    `groups.calls`, `groups.errors`, `groups.finished_calls`, `groups.latency_us`,
    `groups.entries`, `groups.known_entries`, `groups.counters`,
    `groups.unfinished_call_ids`, `groups.deleted_open_call_ids`, depends_on_top,
    `tops.started_us`, `tops.key`, `tops.ended_us`, `tops.op_name`, `tops.wb_user_id`, `tops.thread_id`, `tops.is_root`,
    `sums.model`, `sums.service_tier`, `sums.min_started_us`, `sums.max_started_us`, `sums.min_prompt_size`, `sums.max_prompt_size`,
    `sums.counters`, calls, errors, unfinished_calls, root_id, root_usage,
    root_display_name)
