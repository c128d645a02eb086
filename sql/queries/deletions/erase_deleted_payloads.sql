-- Erases the payload of the parts of deleted calls; the rows stay. Repeating it is harmless.
ALTER TABLE call_parts UPDATE
    {include empty_payload}
WHERE {include is_deleted_payload}
