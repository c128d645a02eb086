/*
 * The strategies read `merged_calls` and `call_traces`, so these statements must be adapted when the columns of those
 * tables change. The first constants contain most of what depends on them; `used` is an entry of a call's usage, of which
 * the bench's calls have requests, prompt and completion tokens (sql/queries/fragments/counting/usage_fields.sql).
 */
const isCall = 'NOT is_deleted';
const sums = `
    sum(used.counters[1]) AS requests, sum(used.counters[2]) AS prompt,
    sum(used.counters[3]) AS completion, sum(used.counters[2] + used.counters[3]) AS total`;

/** The usage of a call as tuples of model, requests, prompt, completion and total tokens. */
const usageTuples =
  'arrayMap(used -> (used.model, used.counters[1], used.counters[2], used.counters[3], used.counters[2] + used.counters[3]), usage)';

/** The traces of the requested calls, which every strategy has to find first. */
const requestedTraces = `
  SELECT trace_id FROM call_traces FINAL
  WHERE project_id = {project:String}
    AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({ids:Array(String)}))))`;

/** The requested calls that exist: `requested.id`, and `requested_key`, their key in `merged_calls`. */
const requestedCalls = `
  SELECT requested.id AS id, reinterpretAsUInt128(sipHash128(located.trace_id, requested.id)) AS requested_key
  FROM (SELECT arrayJoin({ids:Array(String)}) AS id, reinterpretAsUInt128(sipHash128(id)) AS key) AS requested
  INNER JOIN (SELECT key, trace_id FROM call_traces FINAL WHERE project_id = {project:String}
    AND key IN (SELECT reinterpretAsUInt128(sipHash128(arrayJoin({ids:Array(String)}))))) AS located
    ON located.key = requested.key`;

/** The keys in `merged_calls` of the requested calls by id; for comparing answers, never timed. */
export const keysStatement = `SELECT id, toString(requested_key) AS key FROM (${requestedCalls})`;

/** The flat sum over whole traces: the least work with which these rows can be summed. */
export const flatSumStatement = `
  SELECT
    trace_id AS call, used.model AS model,${sums}
  FROM merged_calls FINAL ARRAY JOIN usage AS used
  WHERE project_id = {project:String} AND trace_id IN (${requestedTraces})
    AND ${isCall}
  GROUP BY trace_id, model`;

/** The textbook recursion: each step reads the children of the previous level. */
export const levelByLevelStatement = `
  WITH RECURSIVE tree AS
  (
    SELECT key AS call, key, usage
    FROM merged_calls FINAL
    WHERE project_id = {project:String} AND trace_id IN (${requestedTraces})
      AND ${isCall}
      AND key IN (SELECT requested_key FROM (${requestedCalls}))
    UNION ALL
    SELECT tree.call, child.key, child.usage
    FROM (SELECT key, parent, usage FROM merged_calls FINAL
      WHERE project_id = {project:String} AND trace_id IN (${requestedTraces})
        AND ${isCall}) AS child
    INNER JOIN tree ON child.parent = tree.key
  )
  SELECT
    toString(call) AS call, used.model AS model,${sums}
  FROM tree ARRAY JOIN usage AS used
  GROUP BY call, model`;

/** All calls of the traces, for the client-side roll-up. */
export const fetchCallsStatement = `
  SELECT toString(key) AS key, toString(parent) AS parent, usage_mode, span_kind = 2 AS is_tool,
    ${usageTuples} AS usage
  FROM merged_calls FINAL
  WHERE project_id = {project:String} AND trace_id IN (${requestedTraces})
    AND ${isCall}`;
