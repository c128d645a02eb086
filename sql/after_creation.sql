-- Runs after the migrations in a database that no release had used before: drops what only the release before would read,
-- and what would cost each insert a part of its time (docs/decisions/0015-expand-and-contract.md).
DROP VIEW IF EXISTS calls_from_parts SYNC;

DROP TABLE IF EXISTS calls SYNC;
