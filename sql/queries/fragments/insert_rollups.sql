-- The columns that rollup_rows.sql returns.
INSERT INTO trace_rollups (
    project_id, trace_id, rules_version, checksum,
    `groups.top`, `groups.model`, `groups.op_name`, `groups.wb_user_id`, `groups.thread_id`, `groups.service_tier`,
    `groups.min_started_us`, `groups.max_started_us`, `groups.min_prompt_size`, `groups.max_prompt_size`,
    `groups.calls`, `groups.errors`, `groups.finished_calls`, `groups.latency_us`,
    `groups.entries`, `groups.known_entries`, `groups.counters`,
    `groups.unfinished_call_ids`, `groups.deleted_open_call_ids`, depends_on_top)
