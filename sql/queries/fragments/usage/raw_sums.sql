-- What a statement returns that sums stored counters of calls with own usage: these sums, and what shows that they do not
-- say enough. The bits of `usage_modes` are 1 for rolled-up calls and 2 for spans of OpenTelemetry; whether the counting rules
-- change more than sums would, src/usage/usage-counters.ts decides.
groupBitOr(call.usage_mode) AS usage_modes,
groupBitOr(used.facts) AS facts,
max(call.sdk_version BETWEEN 1 AND last_native_sdk) AS is_native_sdk,
max({include has_excess}) AS has_excess,
countIf(is_first_row) AS calls,
groupArrayIf(call.open_id, call.open_id != ended AND is_first_row) AS unfinished_call_ids,
sumForEach(CAST(fields, 'Array(UInt128)')) AS counters
