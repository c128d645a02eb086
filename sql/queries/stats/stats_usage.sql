-- What did calls of the traces `trace_ids` use that started in a window? One row for each bucket, group, model and price
-- class (stats_row.sql), for traces without spans of OpenTelemetry. The traces are read whole, since what an SDK has added to
-- a call is the usage of children that may have started outside of the window.
WITH
{include usage_fields},
{include counting_fields},
read_calls AS
(
    SELECT *
    {include from_requested_traces}
),
{include stats_counts}
{include stats_row}
