-- The settings of a statement that reads from_project_rollups.sql. On a cluster, rollups are compared with the rows of their own
-- shard.
{include planning_settings},
    distributed_product_mode = 'local',
    query_plan_join_swap_table = 'false'
