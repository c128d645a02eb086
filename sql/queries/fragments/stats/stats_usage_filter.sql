-- Whether the usage of a call counts in statistics. With `trace_roots_only` that of all calls does, since the filter has
-- chosen the traces by their roots.
({trace_roots_only:Bool} OR {include stats_filter})
AND NOT is_deleted
AND {include has_start}
