-- The rollups of those of `trace_ids` with their checksum of `checksums`, columns as they are stored.
SELECT *
{include from_valid_rollups}
