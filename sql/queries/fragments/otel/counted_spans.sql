-- Defines `counted_spans`: the calls of whole traces, and whether the usage of each counts (`counts_usage`) by the counting rule of
-- OpenTelemetry (docs/usage.md). What depends on the requested call is decided on the whole trace: of the spans of a
-- response, one counts in a trace, and of twins the inner one. How the rule works in SQL: otel_calls.sql.
--
-- Of each call the nearest ancestor that has usage or is a tool (`stop`): with each step `target` is twice as far away.
pointers AS
(
    SELECT
        key,
        parent AS target,
        toUInt128(0) AS stop,
        {include has_tokens} AS has_usage,
        has_usage OR span_kind = 2 AS is_stop,
        toUInt8(0) AS step,
        toUInt8(ceil(log2(count() OVER () + 1))) AS last_step,
        max(target != 0) OVER () AS is_moving
    FROM
    (
        SELECT *
        {include from_requested_traces}
        WHERE NOT is_deleted
    )
    WHERE {include has_start}

    UNION ALL

    SELECT
        call.key,
        next.target AS target,
        if(call.stop != 0, call.stop, next.stop) AS stop,
        call.has_usage,
        call.is_stop,
        call.step + 1,
        call.last_step,
        max(target != 0) OVER () AS is_moving
    FROM pointers AS call
    LEFT ANY JOIN
    (
        SELECT key, target, if(is_stop, key, stop) AS stop
        FROM pointers
    ) AS next ON next.key = call.target
    WHERE call.is_moving
        AND call.step < call.last_step
),
-- Calls above usage, and members of cycles: only there `target` never becomes 0.
marks AS
(
    SELECT
        marked_key AS key,
        max(mark = 1) AS is_above_usage,
        max(mark = 2) AS is_in_cycle
    FROM
    (
        SELECT *
        FROM pointers
        WHERE NOT is_moving OR step = last_step
    ) AS call
    ARRAY JOIN
        [if(call.has_usage AND call.stop != call.key, call.stop, 0), call.target] AS marked_key,
        [1, 2] AS mark
    WHERE marked_key != 0
    GROUP BY marked_key
),
spans AS
(
    SELECT
        call.*,
        call.has_tokens AND NOT (call.usage_mode = 2 AND mark.is_above_usage AND NOT mark.is_in_cycle) AS has_usage,
        usage_mode = 2 AND has_usage AND span_kind = 1 AND parent != 0 AS may_be_twin,
        if(has_usage AND span_kind != 3 AND response != 0, toUInt128(response), key) AS same_response,
        if(may_be_twin, parent, key) AS same_parent,
        arraySum(used -> used.counters[prompt_tokens] + used.counters[input_tokens], usage) AS same_input,
        arraySum(used -> used.counters[completion_tokens] + used.counters[output_tokens], usage) AS same_output
    FROM
    (
        SELECT *, {include has_tokens} AS has_tokens
        FROM
        (
            SELECT *
            {include from_requested_traces}
            WHERE NOT is_deleted
        )
        WHERE {include has_start}
    ) AS call
    LEFT ANY JOIN marks AS mark ON mark.key = call.key
),
ordered_spans AS
(
    SELECT
        *,
        row_number() OVER of_response AS place,
        min([(ended_us, scope)]) OVER inner_spans AS first_end,
        minIf([(ended_us, scope)], response = 0) OVER inner_spans AS first_end_without_response
    FROM spans
    WINDOW
        of_response AS (
            PARTITION BY same_response
            ORDER BY usage_mode = 2, started_us DESC, ended_us, key DESC),
        inner_spans AS (
            PARTITION BY may_be_twin, same_parent, same_input, same_output
            ORDER BY started_us DESC, ended_us, key DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
counted_spans AS
(
    SELECT
        *,
        {include is_twin},
        usage_mode != 2 OR has_usage AND place = 1 AND NOT is_twin AS counts_usage
    FROM ordered_spans
    WINDOW inner_spans AS (
        PARTITION BY may_be_twin, same_parent, same_input, same_output
        ORDER BY started_us DESC, ended_us, key DESC
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
