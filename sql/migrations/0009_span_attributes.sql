-- What a span of OpenTelemetry said about its usage, as it was sent (docs/decisions/0018-otlp-in-the-service.md). It is not
-- payload: a later version of the rules reads it again, so neither a retention nor a deletion erases it.
ALTER TABLE call_parts
    ADD COLUMN IF NOT EXISTS span_attributes String DEFAULT '' CODEC(ZSTD(1)) AFTER scope;
