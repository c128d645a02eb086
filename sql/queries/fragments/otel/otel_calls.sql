-- Defines `otel_calls`: the calls of the requested subtrees, and which of them count by the counting rule of OpenTelemetry
-- (docs/usage.md). `pointers` is one recursion that finds the nearest requested ancestor of each call and the nearest one
-- that has usage or is a tool (`stop`): with each step `target` is twice as far away, and what was between is known.
--
-- A call has one row, and a second one if it depends on the requested call whether its usage counts. `variant`: 0 and 1 for
-- the row of the call, 2 and 3 for the second one; usage counts in the rows 1 and 3. A row 2 is of a call whose
-- usage counts elsewhere, and that is the first one of its response.
pointers AS
(
    SELECT
        key,
        parent AS target,
        key IN (SELECT arrayJoin(requested_keys)) AS is_requested,
        toUInt128(0) AS ancestor,
        toUInt128(0) AS stop,
        {include has_tokens} AS has_usage,
        has_usage OR span_kind = 2 AS is_stop,
        toUInt8(0) AS step,
        toUInt8(ceil(log2(count() OVER () + 1))) AS last_step,
        max(target != 0) OVER () AS is_moving,
        parent,
        usage_mode,
        open_id,
        started_us,
        ended_us,
        sdk_version,
        response,
        span_kind,
        scope,
        usage
    FROM
    (
        SELECT *
        {include from_requested_traces}
        WHERE NOT is_deleted
    )
    WHERE parent != 0 OR is_requested

    UNION ALL

    SELECT
        call.key,
        next.target AS target,
        call.is_requested,
        if(call.ancestor != 0, call.ancestor, next.ancestor) AS ancestor,
        if(call.stop != 0, call.stop, next.stop) AS stop,
        call.has_usage,
        call.is_stop,
        call.step + 1,
        call.last_step,
        max(target != 0) OVER () AS is_moving,
        call.parent,
        call.usage_mode,
        call.open_id,
        call.started_us,
        call.ended_us,
        call.sdk_version,
        call.response,
        call.span_kind,
        call.scope,
        call.usage
    FROM pointers AS call
    LEFT ANY JOIN
    (
        SELECT key, target, if(is_requested, key, ancestor) AS ancestor, if(is_stop, key, stop) AS stop
        FROM pointers
    ) AS next ON next.key = call.target
    WHERE call.is_moving
        AND call.step < call.last_step
        AND (next.target != 0 OR ancestor != 0 OR call.is_requested)
),
-- The calls that may count, with what others say of them. A span with usage is a stop of each call with usage below it that
-- no other call with usage and no tool is above, so these are marked as repeated. Only in a cycle `target` never
-- becomes 0, and after the last step the targets are all members of the cycles; of these, all count.
marked_calls AS
(
    SELECT
        marked_key AS key,
        maxIf(call.is_requested, mark = 0) AS is_requested,
        maxIf(call.ancestor, mark = 0) AS ancestor,
        maxIf(call.parent, mark = 0) AS parent,
        maxIf(call.usage_mode, mark = 0) AS usage_mode,
        maxIf(call.open_id, mark = 0) AS open_id,
        maxIf(call.started_us, mark = 0) AS started_us,
        maxIf(call.ended_us, mark = 0) AS ended_us,
        maxIf(call.sdk_version, mark = 0) AS sdk_version,
        maxIf(call.response, mark = 0) AS response,
        maxIf(call.span_kind, mark = 0) AS span_kind,
        maxIf(call.scope, mark = 0) AS scope,
        anyIf(call.usage, mark = 0) AS usage,
        max(mark = 2) AS is_in_cycle,
        maxIf(call.has_usage, mark = 0) AND NOT (usage_mode = 2 AND max(mark = 1) AND NOT is_in_cycle) AS has_usage
    FROM
    (
        SELECT *
        FROM pointers
        WHERE (NOT is_moving OR step = last_step)
            AND (ancestor != 0 OR is_requested)
    ) AS call
    ARRAY JOIN
        [call.key, if(call.has_usage AND call.stop != call.key, call.stop, 0), call.target] AS marked_key,
        [0, 1, 2] AS mark
    WHERE marked_key != 0
    GROUP BY marked_key
    HAVING min(mark) = 0
),
-- `place` is the order of the calls with the same response. A twin has the same parent and the same counts as an inference
-- span of another scope within its time; of two spans with responses, the response decides. Of the spans before it in the
-- order, `first_end` is the one that ended first and `second_end` when the first one of any other scope than that ended:
-- the later one of each span and the first before it, if these have two scopes. So every span is compared with two others,
-- however many scopes there are.
otel_calls AS
(
    SELECT
        *,
        multiIf(
            is_shared, [usage_mode != 2, 2 + (usage_mode = 2 AND (NOT is_twin OR is_requested AND NOT is_in_cycle))],
            usage_mode != 2, [1],
            NOT has_usage OR place > 1, [0],
            NOT is_twin, [1],
            is_requested AND NOT is_in_cycle, [0, 3],
            [0]) AS variants
    FROM
    (
        SELECT
            *,
            has_span AND min_subtree != max_subtree AS is_shared,
            {include is_twin}
        FROM
        (
            SELECT
                *,
                row_number() OVER of_response AS place,
                max(usage_mode = 2) OVER of_response AS has_span,
                min(subtree) OVER of_response AS min_subtree,
                max(subtree) OVER of_response AS max_subtree,
                min([(ended_us, scope)]) OVER inner_spans AS first_end,
                minIf([(ended_us, scope)], response = 0) OVER inner_spans AS first_end_without_response
            FROM
            (
                SELECT
                    *,
                    if(is_requested, key, ancestor) AS subtree,
                    usage_mode = 2 AND has_usage AND span_kind = 1 AND parent != 0 AS may_be_twin,
                    if(has_usage AND span_kind != 3 AND response != 0, toUInt128(response), key) AS same_response,
                    if(may_be_twin, parent, key) AS same_parent,
                    arraySum(used -> used.counters[prompt_tokens] + used.counters[input_tokens], usage) AS same_input,
                    arraySum(used -> used.counters[completion_tokens] + used.counters[output_tokens], usage) AS same_output
                FROM marked_calls
            )
            WINDOW
                of_response AS (
                    PARTITION BY same_response
                    ORDER BY usage_mode = 2, started_us DESC, ended_us, key DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
                inner_spans AS (
                    PARTITION BY may_be_twin, same_parent, same_input, same_output
                    ORDER BY started_us DESC, ended_us, key DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        WINDOW inner_spans AS (
            PARTITION BY may_be_twin, same_parent, same_input, same_output
            ORDER BY started_us DESC, ended_us, key DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
)
