-- The same as stats_usage.sql for traces with spans of OpenTelemetry, which repeat usage: counted_spans.sql says which ones count.
WITH RECURSIVE
{include usage_fields},
{include counting_fields},
{include counted_spans},
read_calls AS
(
    SELECT *
    FROM counted_spans
    WHERE counts_usage
),
{include stats_counts}
{include stats_row}
