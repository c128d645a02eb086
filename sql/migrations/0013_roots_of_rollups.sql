-- What answers a request for the root of a trace, which is found by the id of the call, without its trace.

-- The only top call of the trace; empty if there are several, it has a parent, or there is too much for `root_usage`.
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS root_id String;
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS root_key UInt128 MATERIALIZED reinterpretAsUInt128(sipHash128(root_id));

-- JSON, see src/usage/rollups/query-root-rollups.ts: one column is read in half the time that ten take. Integers are text, because those of
-- JSON are not read exactly above 2^53.
ALTER TABLE trace_rollups ADD COLUMN IF NOT EXISTS root_usage String CODEC(ZSTD(1));

ALTER TABLE trace_rollups MODIFY SETTING
    deduplicate_merge_projection_mode = 'rebuild',
    lightweight_mutation_projection_mode = 'rebuild';

ALTER TABLE trace_rollups ADD PROJECTION IF NOT EXISTS root_keys
(
    SELECT project_id, root_key, rules_version, trace_id, checksum, root_id, root_usage ORDER BY project_id, root_key
);
