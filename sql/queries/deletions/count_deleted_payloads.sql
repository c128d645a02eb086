-- How many parts of deleted calls have a payload that erase_deleted_payloads.sql would erase?
SELECT count() AS parts
FROM call_parts
WHERE {include is_deleted_payload}
