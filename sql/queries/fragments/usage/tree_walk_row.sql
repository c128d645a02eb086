-- The columns of a row of the tree walks, from `counted_usage`. A call that is requested is in its own row, any other call
-- in that of `target`, its nearest requested ancestor.
if(is_requested, key, target) AS call_key,
model,
service_tier,
{include price_class},
transform(call_key, requested_keys, {call_ids:Array(String)}, '') AS call_id,
max(is_requested) AS is_present,
maxIf(target, is_requested) AS ancestor_key,
countIf(is_first_row) AS calls,
groupArrayIf(open_id, open_id != ended AND is_first_row) AS unfinished_call_ids,
groupArrayArrayIf(deleted_open_ids, is_first_row) AS deleted_open_call_ids,
sumForEach(CAST(counts[1], 'Array(UInt128)')) AS counters,
{include double_counted}
