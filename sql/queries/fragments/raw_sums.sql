-- What a flat sum returns of calls with own usage: sums of the stored counters, and what shows that they do not say
-- enough: whether the counting rules change more than sums would, src/usage/usage-counters.ts decides.
countIf(call.parent = 0 AND is_first_row) AS roots,
max(call.usage_mode = 1) AS is_rolled_up,
groupBitOr(used.facts) AS facts,
max(call.sdk_version BETWEEN 1 AND last_native_sdk) AS is_native_sdk,
max({include has_excess}) AS has_excess,
countIf(is_first_row) AS calls,
groupArrayIf(call.open_id, call.open_id != ended AND is_first_row) AS unfinished_call_ids,
sumForEach(CAST(fields, 'Array(UInt128)')) AS counters
