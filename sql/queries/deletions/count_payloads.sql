-- How many parts have a payload that erase_payloads.sql would erase?
SELECT count() AS parts
FROM call_parts
WHERE has_payload
