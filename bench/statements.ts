/**
 * All SQL of the bench. What fills the project keeps to the contract of `call_parts`; the rest reads `calls` and
 * `call_traces`, and has to follow when those change.
 */

/** Traces `first` to `first + count - 1` of mixed shape and size, one row a call. */
export const mixedTracesSource = `
  SELECT
    number AS trace,
    concat('trace-', toString(trace)) AS name,
    trace % 5 < 3 AS is_hundred,
    trace % 5 = 2 OR trace % 10 = 8 AS is_sdk,
    trace % 5 = 4 AS is_apart,
    -- Skewed like real ones: half of them below 50 calls, 100 on average.
    if(is_hundred, 100, 1 + toUInt32(floor(396 * pow(sipHash64(trace) % 1000000 / 1000000, 3)))) AS size,
    multiIf(intDiv(trace, 5) % 4 = 0, 'star', intDiv(trace, 5) % 4 != 1, 'bush', size > 50, 'comb', 'chain') AS shape,
    arrayJoin(range(size)) AS call
  FROM numbers({first:UInt64}, {count:UInt64})`;

/** Calls `first` to `first + count - 1` of one trace. */
export const largeTraceSource = `
  SELECT
    toUInt64(0) AS trace, {name:String} AS name, 0 AS is_sdk, 0 AS is_apart,
    toUInt32({size:UInt32}) AS size, {shape:String} AS shape, number AS call
  FROM numbers({first:UInt64}, {count:UInt64})`;

/**
 * Shapes: a star hangs everything on the root; in a bush each call has four children; a comb is a spine of every
 * tenth call with nine leaves each; a chain is a chain; an evaluation has a root, 200 rows, and a bush below each.
 * An SDK's call stores its whole subtree's usage, of 100 prompt and 20 completion tokens a call and one model a
 * trace; other calls store their own, 7 of 10 of them any. One of 50 calls of traces that come as starts and ends
 * has no end.
 */
export function fillStatement(source: string): string {
  return `
  INSERT INTO call_parts
    (project_id, id, kind, trace_id, parent_id, started_at, ended_at, op_name, attributes_dump, summary_dump)
  WITH
    multiIf(
      shape = 'star', 0,
      shape = 'chain', call - 1,
      shape = 'comb', if(call % 10 = 0, call - 10, call - call % 10),
      shape = 'bush', intDiv(call - 1, 4),
      call <= 200, 0,
      intDiv(call - 201, 200) < 3, 1 + (call - 201) % 200,
      201 + (intDiv(intDiv(call - 201, 200), 3) - 1) * 200 + (call - 201) % 200) AS parent,
    toInt64(multiIf(
      shape = 'star', if(call = 0, size, 1),
      shape = 'chain', size - call,
      shape = 'comb', if(call % 10 = 0, size - call, 1),
      arraySum(
        width -> greatest(0, least(
          toInt64(call) * width + intDiv(4 * (width - 1), 3),
          toInt64(size) - 1) - (toInt64(call) * width + intDiv(width - 1, 3)) + 1),
        [toInt64(1), 4, 16, 64, 256, 1024]))) AS subtree,
    ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash'] AS models,
    sipHash64(name, call) AS random,
    toDateTime64('2026-06-01 00:00:00', 6, 'UTC') + INTERVAL trace SECOND + INTERVAL call MILLISECOND AS start,
    arrayJoin(multiIf(NOT is_apart, ['whole'], random % 50 = 0, ['start'], ['start', 'end'])) AS part
  SELECT
    {project:String} AS project_id,
    concat(name, '-', toString(call)) AS id,
    part AS kind,
    lower(hex(sipHash128(name))) AS trace_id,
    if(call = 0, '', concat(name, '-', toString(parent))) AS parent_id,
    if(part = 'end', NULL, start) AS started_at,
    if(part = 'start', NULL, start + INTERVAL 1 SECOND) AS ended_at,
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

/**
 * What follows when the columns of `calls` change: which rows are calls, what is added up of each entry `used` of a
 * call's usage, and a call's usage as tuples of a model, requests, prompt, completion and total.
 */
const isCall = 'NOT is_deleted';
const sums = `
    sum(used.counters[1]) AS requests, sum(used.counters[2]) AS prompt,
    sum(used.counters[3]) AS completion, sum(used.counters[4]) AS total`;
const usageTuples =
  'arrayMap(used -> (used.model, used.counters[1], used.counters[2], used.counters[3], used.counters[4]), usage)';

/** The traces that hold the requested calls, as everyone who asks must find them first. */
const traces = `
  SELECT trace_id FROM call_traces FINAL
  WHERE project_id = {project:String}
    AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({ids:Array(String)}))))`;

/** What the requested calls are called in `calls`: for comparing answers, never timed. */
export const keysStatement = `
  SELECT named.id AS id, toString(reinterpretAsUInt128(sipHash128(known.trace_id, named.id))) AS key
  FROM (SELECT arrayJoin({ids:Array(String)}) AS id, reinterpretAsUInt128(sipHash128(id)) AS key) AS named
  INNER JOIN (SELECT key, trace_id FROM call_traces FINAL WHERE project_id = {project:String}
    AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({ids:Array(String)}))))) AS known ON known.key = named.key`;

/** The flat sum over whole traces: nothing that sums these rows can do less. */
export const floorStatement = `
  SELECT
    trace_id AS call, used.model AS model,${sums}
  FROM calls FINAL ARRAY JOIN usage AS used
  WHERE project_id = {project:String} AND trace_id IN (${traces})
    AND ${isCall}
  GROUP BY trace_id, model`;

/** The textbook's recursion: each step reads the children of the level before. */
export const levelByLevelStatement = `
  WITH RECURSIVE tree AS
  (
    SELECT key AS call, key, usage
    FROM calls FINAL
    WHERE project_id = {project:String} AND trace_id IN (${traces})
      AND ${isCall}
      AND key IN (SELECT reinterpretAsUInt128(sipHash128(known.trace_id, named.id))
        FROM (SELECT arrayJoin({ids:Array(String)}) AS id, reinterpretAsUInt128(sipHash128(id)) AS key) AS named
        INNER JOIN (SELECT key, trace_id FROM call_traces FINAL WHERE project_id = {project:String}
          AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({ids:Array(String)}))))) AS known
          ON known.key = named.key)
    UNION ALL
    SELECT tree.call, child.key, child.usage
    FROM (SELECT key, parent, usage FROM calls FINAL
      WHERE project_id = {project:String} AND trace_id IN (${traces})
        AND ${isCall}) AS child
    INNER JOIN tree ON child.parent = tree.key
  )
  SELECT
    toString(call) AS call, used.model AS model,${sums}
  FROM tree ARRAY JOIN usage AS used
  GROUP BY call, model`;

/** All calls of the traces, to be added up by whoever reads them, as Weave does. */
export const fetchStatement = `
  SELECT toString(key) AS key, toString(parent) AS parent, is_rolled_up,
    ${usageTuples} AS usage
  FROM calls FINAL
  WHERE project_id = {project:String} AND trace_id IN (${traces})
    AND ${isCall}`;
