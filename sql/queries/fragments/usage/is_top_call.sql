-- Whether a call of the requested traces is a top call: it has no parent, or none that has arrived and is not deleted. One
-- that names itself is one, too.
parent IN (0, key) OR parent NOT IN (
    SELECT key
    {include from_requested_traces}
    WHERE NOT is_deleted AND {include has_start})
