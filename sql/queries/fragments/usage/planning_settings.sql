-- Passes of ClickHouse's analyzer that change nothing in these statements and take longer than everything else: they hash
-- each expression together with all subqueries below it. Without them usage_tree_walk.sql is planned in half the time, 96
-- instead of 188 ms of processor time on one trace, and usage_tree_walk_otel_counted.sql in 249 instead of 648
-- (docs/decisions/0017-usage-of-spans.md).
SETTINGS
    optimize_and_compare_chain = 0,
    optimize_group_by_function_keys = 0,
    optimize_aggregators_of_group_by_keys = 0
