import type { Totals } from '../usage/client-side-roll-up.ts';

/**
 * Inserts the traces `first` to `first + count - 1` of 100 spans of OpenTelemetry: an agent, nine agents below it, and 90
 * model calls below those. In every second trace each agent repeats the usage of all model calls below it, under the model
 * that was requested of the first one; in the others agents have no usage. So the model calls are what was spent, which
 * {@link spentOn} computes without ClickHouse. Rows are those that the service writes of spans.
 */
export const otelTracesStatement = `
  INSERT INTO call_parts
    (project_id, id, kind, trace_id, parent_id, started_at, ended_at, op_name,
     usage_mode, span_kind, scope, output_id, summary_dump)
  WITH
    ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash'] AS models,
    call < 10 AS is_agent,
    multiIf(call = 0, 0, is_agent, 0, 1 + call % 9) AS parent,
    number -> leftPad(lower(hex(toUInt32(number))), 8, '0') AS to_hex,
    -- The model calls whose usage is that of the span: its own, or those below an agent.
    arrayFilter(
      n -> n = call OR trace % 2 = 1 AND (call = 0 OR is_agent AND 1 + n % 9 = call),
      range(10, 100)) AS repeated,
    toDateTime64('2026-06-01 00:00:00', 6, 'UTC') + INTERVAL trace SECOND AS trace_start
  SELECT
    {project:String} AS project_id,
    concat(to_hex(trace + 1), to_hex(call)) AS id,
    'whole' AS kind,
    lower(hex(sipHash128('otel', trace))) AS trace_id,
    if(call = 0, '', concat(to_hex(trace + 1), to_hex(parent))) AS parent_id,
    trace_start + INTERVAL call MILLISECOND AS started_at,
    trace_start + INTERVAL 1000 - call MILLISECOND AS ended_at,
    if(is_agent, 'invoke_agent', 'chat') AS op_name,
    2 AS usage_mode,
    if(is_agent, 3, 1) AS span_kind,
    1 AS scope,
    if(is_agent, '', concat('response-', id)) AS output_id,
    if(empty(repeated), '{}', concat(
      '{"usage":{"', models[1 + (trace + repeated[1]) % 4],
      '":{"requests":1,"prompt_tokens":', toString(arraySum(n -> 100 + (37 * trace + 13 * n) % 900, repeated)),
      ',"completion_tokens":', toString(arraySum(n -> 1 + (17 * trace + 7 * n) % 300, repeated)), '}}}')) AS summary_dump
  FROM
  (
    SELECT number AS trace, arrayJoin(range(100)) AS call
    FROM numbers({first:UInt64}, {count:UInt64})
  )`;

const models = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash'];

/** What a trace has spent: requests, prompt, completion and total tokens, by the id of its root and model. */
function spentOn(trace: number): Totals {
  const totals: Totals = new Map();
  for (let call = 10; call < 100; call += 1) {
    const name = `${toSpanId(trace, 0)}\n${models[(trace + call) % models.length]}`;
    const prompt = 100 + ((37 * trace + 13 * call) % 900);
    const completion = 1 + ((17 * trace + 7 * call) % 300);
    const sums = totals.get(name) ?? [0, 0, 0, 0];
    const added = [1, prompt, completion, prompt + completion];
    totals.set(
      name,
      sums.map((sum, index) => sum + (added[index] ?? 0)),
    );
  }
  return totals;
}

/** A page of the first `count` traces: the ids of their roots, and what was spent on them. */
export function pageOfOtelRoots(count: number): { readonly ids: string[]; readonly truth: Totals } {
  const traces = Array.from({ length: count }, (_, trace) => trace);
  return {
    ids: traces.map((trace) => toSpanId(trace, 0)),
    truth: new Map(traces.flatMap((trace) => [...spentOn(trace)])),
  };
}

function toSpanId(trace: number, call: number): string {
  return [trace + 1, call].map((number) => number.toString(16).padStart(8, '0')).join('');
}
