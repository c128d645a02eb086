/**
 * Inserts the calls of a source. Shapes: in a star all calls are children of the root; in a bush each call has four
 * children; in a comb every tenth call is the child of the tenth before it and has nine leaves; in a chain each call
 * has one child; an evaluation has a root with 200 children, each with a subtree. A call of an SDK stores the usage of
 * its whole subtree, with 100 prompt and 20 completion tokens per call and one model per trace; 7 of 10 other calls
 * store own usage, the rest none. Every call ends after its descendants, as an SDK's do. In traces that arrive as starts and
 * ends, one of 50 calls has no end. Ids are those of `toCallId`.
 */
export function fillStatement(source: string): string {
  return `
  INSERT INTO call_parts
    (project_id, id, kind, trace_id, parent_id, started_at, ended_at, op_name, attributes_dump, summary_dump)
  WITH
    ${parentNumber} AS parent,
    ${subtreeSize} AS subtree,
    ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash'] AS models,
    sipHash64(name, call) AS random,
    toDateTime64('2026-06-01 00:00:00', 6, 'UTC') + INTERVAL trace SECOND AS trace_start,
    trace_start + INTERVAL call MILLISECOND AS start,
    (number, digits) -> leftPad(lower(hex(number)), digits, '0') AS to_hex,
    n -> to_hex(toUInt64(if(
      series = ${randomSeries},
      bitShiftRight(toUInt64(trace + n + 1) * ${scatter}, 16),
      toUnixTimestamp64Milli(trace_start) + n)), 12) AS to_prefix,
    n -> concat(
      substring(to_prefix(n), 1, 8), '-', substring(to_prefix(n), 9, 4),
      if(series = ${randomSeries}, '-4000-8000-', '-7000-8000-'), to_hex(series, 4), to_hex(trace, 8)) AS to_id,
    arrayJoin(multiIf(NOT is_apart, ['whole'], random % 50 = 0, ['start'], ['start', 'end'])) AS part
  SELECT
    {project:String} AS project_id,
    to_id(call) AS id,
    part AS kind,
    lower(hex(sipHash128(name))) AS trace_id,
    if(call = 0, '', to_id(parent)) AS parent_id,
    if(part = 'end', NULL, start) AS started_at,
    if(part = 'start', NULL, trace_start + INTERVAL 1000 + 2 * toInt64(size) - call MILLISECOND) AS ended_at,
    if(call = 0, 'answer', 'step') AS op_name,
    if(is_sdk AND part != 'end', '{"weave":{"source":"python-sdk"}}', '{}') AS attributes_dump,
    multiIf(
      part = 'start' OR NOT is_sdk AND random % 10 > 6, '{}',
      is_sdk, concat('{"usage":{"', models[1 + trace % 4], '":{"requests":', toString(subtree),
        ',"prompt_tokens":', toString(100 * subtree), ',"completion_tokens":', toString(20 * subtree), '}}}'),
      concat('{"usage":{"', models[1 + (trace + call % 2) % 4], '":{"requests":1,"prompt_tokens":',
        toString(100 + random % 900), ',"completion_tokens":', toString(random % 300),
        ',"prompt_tokens_details":{"cached_tokens":', toString(random % 100), '}}}}')) AS summary_dump
  FROM (${source})`;
}

/** The number of a call's parent within the trace, by shape. */
const parentNumber = `
    multiIf(
      shape = 'star', 0,
      shape = 'chain', call - 1,
      shape = 'comb', if(call % 10 = 0, call - 10, call - call % 10),
      shape = 'bush', intDiv(call - 1, 4),
      call <= 200, 0,
      intDiv(call - 201, 200) < 3, 1 + (call - 201) % 200,
      201 + (intDiv(intDiv(call - 201, 200), 3) - 1) * 200 + (call - 201) % 200)`;

/** The number of calls in a call's subtree, itself included, by shape. */
const subtreeSize = `
    toInt64(multiIf(
      shape = 'star', if(call = 0, size, 1),
      shape = 'chain', size - call,
      shape = 'comb', if(call % 10 = 0, size - call, 1),
      arraySum(
        width -> greatest(0, least(
          toInt64(call) * width + intDiv(4 * (width - 1), 3),
          toInt64(size) - 1) - (toInt64(call) * width + intDiv(width - 1, 3)) + 1),
        [toInt64(1), 4, 16, 64, 256, 1024])))`;

/** Traces whose ids are random belong to this series, those whose ids grow with time to others. */
export const randomSeries = 1;

/** An odd factor that scatters consecutive numbers over 64 bits. */
export const scatter = 11_400_714_819_323_198_485n;

/** Traces `first` to `first + count - 1` of mixed shapes and sizes, one row per call. */
export const mixedTracesSource = `
  SELECT
    number AS trace, 0 AS series,
    concat('trace-', toString(trace)) AS name,
    trace % 5 < 3 AS is_hundred,
    trace % 5 = 2 OR trace % 10 = 8 AS is_sdk,
    trace % 5 = 4 AS is_apart,
    -- Skewed like real traces: half of them have fewer than 50 calls, the average is 100.
    if(is_hundred, 100, 1 + toUInt32(floor(396 * pow(sipHash64(trace) % 1000000 / 1000000, 3)))) AS size,
    multiIf(intDiv(trace, 5) % 4 = 0, 'star', intDiv(trace, 5) % 4 != 1, 'bush', size > 50, 'comb', 'chain') AS shape,
    arrayJoin(range(size)) AS call
  FROM numbers({first:UInt64}, {count:UInt64})`;

/** Traces `first` to `first + count - 1` of 100 calls with random ids and own usage, one row per call. */
export const randomIdsSource = `
  SELECT
    number AS trace, ${randomSeries} AS series, concat('random-', toString(trace)) AS name, 0 AS is_sdk, 0 AS is_apart,
    toUInt32(100) AS size, ['star', 'bush', 'comb'][1 + trace % 3] AS shape, arrayJoin(range(size)) AS call
  FROM numbers({first:UInt64}, {count:UInt64})`;

/** Calls `first` to `first + count - 1` of one trace. */
export const largeTraceSource = `
  SELECT
    toUInt64(0) AS trace, {series:UInt16} AS series, {name:String} AS name, 0 AS is_sdk, 0 AS is_apart,
    toUInt32({size:UInt32}) AS size, {shape:String} AS shape, number AS call
  FROM numbers({first:UInt64}, {count:UInt64})`;
