-- How many calls match the filter of a list? At most `max_calls` are counted.
WITH
{include usage_fields}
SELECT least(count(), {max_calls:UInt64}) AS calls
{include from_listed_calls}
