-- The display name of the call `root_id`, which only call_parts has otherwise: there, the names of 100 traces are among 8,192 rows each.
-- Rollups made before have none; they are of other rules, and so are not used.
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS root_display_name String;
