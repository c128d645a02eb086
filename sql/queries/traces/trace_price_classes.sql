-- Which price classes does usage have of traces whose root started in a window? Rollups are read whether they are valid or not,
-- so there may be more classes than list_traces.sql meets; it says when there are fewer.
SELECT DISTINCT
    model,
    service_tier,
    {include price_class}
FROM
(
    SELECT
        model,
        service_tier,
        started_us,
        size + 1 AS prompt,
        1 AS request_count
    FROM trace_rollups
    ARRAY JOIN
        sums.model AS model,
        sums.service_tier AS service_tier,
        sums.min_started_us AS started_us,
        sums.min_prompt_size AS size
    WHERE project_id = {project_id:String}
        AND rules_version = {rules_version:UInt64}
        AND tops.started_us[1] >= {start_us:Int64}
        AND tops.started_us[1] < {end_us:Int64}
)
ORDER BY ALL
