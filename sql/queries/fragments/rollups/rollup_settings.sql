-- The settings of a statement that rolls traces up. All its reads of a table see the same parts.
{include planning_settings},
    enable_shared_storage_snapshot_in_query = 1
