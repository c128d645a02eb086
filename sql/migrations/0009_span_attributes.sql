-- What a span of OpenTelemetry said about its usage, as it was sent (docs/decisions/0018-otlp-in-the-service.md). It is not
-- payload: a later version of the rules reads it again, so neither a retention nor a deletion erases it.
ALTER TABLE call_parts
    ADD COLUMN IF NOT EXISTS span_attributes String DEFAULT '' CODEC(ZSTD(1)) AFTER scope;

-- Parts that differ in it are not repeats of each other, as in 0008.
ALTER TABLE call_parts MODIFY COLUMN part_hash UInt128 DEFAULT reinterpretAsUInt128(sipHash128(
    parent_id, op_name, display_name, attributes_dump, inputs_dump, output_dump, summary_dump, exception,
    thread_id, turn_id, otel_dump, wb_user_id, wb_run_id,
    toString((started_at, ended_at, wb_run_step, wb_run_step_end)),
    output_id, output_service_tier, has_exception, usage_mode, span_kind, scope, span_attributes));
