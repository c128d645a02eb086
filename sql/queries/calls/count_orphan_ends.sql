-- How many ends of `call_ids` are stored without a trace id?
SELECT count() AS orphan_ends
{include from_orphan_ends}
