-- What statistics of a project need beside what usage requests do. Rollups made before have none of it; they are of other
-- rules, and so are not used.

-- Entries of usage, which are calls times models, and those of which it is known what they used: stats_row.sql.
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `groups.entries` Array(UInt64);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `groups.known_entries` Array(UInt64);

-- Calls that ended no earlier than they started, and how long these took together.
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `groups.finished_calls` Array(UInt64);
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS `groups.latency_us` Array(Int128);

-- Whether some usage counts for a top call and not in the trace as a whole, in which each response counts once
-- (otel_calls.sql).
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS depends_on_top UInt8;
