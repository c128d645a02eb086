-- Stores the rollups of those of `trace_ids` of which a flat sum is right: one root, from which all calls descend, and no
-- spans of OpenTelemetry. roll_up_traces.sql is right for all others, and takes about twice the time.
{include insert_rollups}
WITH
{include usage_fields},
{include counting_fields},
{include flat_families},
{include own_usage},
{include counting_rules},
rolled_up_usage AS
(
    SELECT *
    FROM
    (
        SELECT
            *,
            1 AS is_call,
            0 AS depends_on_top,
            1 AS counts_in_trace,
            CAST([], 'Array(String)') AS deleted_open_ids,
            maxIf(key, roots > 0) OVER trace AS top,
            key = top AS is_top,
            sumIf(roots, is_first_row) OVER trace AS all_roots,
            max(needs_tree_walk OR is_otel) OVER trace AS has_no_flat_sum
        FROM counted_usage
        WINDOW trace AS (PARTITION BY trace_id)
    )
    WHERE all_roots = 1 AND NOT has_no_flat_sum
)
{include rollup_rows}
{include rollup_settings}
