-- Erases the payload of all parts; the rows stay. Repeating it is harmless.
ALTER TABLE call_parts UPDATE
    {include empty_payload}
WHERE has_payload
