/** Calls per trace: a root and its children. */
export const callsPerTrace = 20;

/**
 * A call of about 1 kB, as clients send complete calls; deterministic. Batches are traces of 20 calls.
 * @param batch the name of its batch, which is also its thread
 */
export function toCompleteCall(project_id: string, batch: string, index: number, seed: number) {
  const root = index - (index % callsPerTrace);
  const prompt_tokens = 100 + (seed % 900);
  const completion_tokens = 10 + (seed % 90);
  return {
    project_id,
    id: toCallId(batch, index),
    trace_id: `${batch}-${root}-019a5d2e`,
    parent_id: index === root ? null : toCallId(batch, root),
    thread_id: batch,
    op_name: 'weave:///bench/ingest/op/openai.chat.completions.create:v1',
    started_at: new Date(startedAt + seed).toISOString(),
    ended_at: new Date(startedAt + seed + 900).toISOString(),
    attributes: { weave: { source: 'js-sdk', client_version: '0.16.4', os_name: 'linux' } },
    inputs: {
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system', content: 'You are a support agent.' },
        { role: 'user', content: createText(seed, 320) },
      ],
    },
    output: { choices: [{ message: { role: 'assistant', content: createText(seed + 7, 180) } }] },
    summary: {
      usage: {
        'gpt-4o-mini': {
          requests: 1,
          prompt_tokens,
          completion_tokens,
          total_tokens: prompt_tokens + completion_tokens,
          prompt_tokens_details: { cached_tokens: 0 },
        },
      },
      status_counts: { success: 1, error: 0 },
    },
  };
}

/** The id of a call; it begins with the name of its batch. */
export function toCallId(batch: string, index: number): string {
  return `${batch}-${index}-019a5d2e-7cc0`;
}

const startedAt = Date.parse('2026-06-01T00:00:00Z');

const words =
  'order refund parcel customer delayed since Tuesday please check the policy and answer in two sentences'.split(
    ' ',
  );

/** Text that differs from call to call, so that it does not compress to nothing. */
function createText(seed: number, length: number): string {
  let [text, state] = ['', seed + 1];
  while (text.length < length) {
    state = (state * 48_271) % 2_147_483_647;
    text += `${words[state % words.length] ?? ''}-${(state % 9_973).toString(36)} `;
  }
  return text.slice(0, length);
}

type Call = ReturnType<typeof toCompleteCall>;

/** The start and the end of a call, as SDKs send them: the end has no trace id. */
export function toStartAndEnd(call: Call): object[] {
  const { ended_at, output, summary, ...start } = call;
  const end = { project_id: call.project_id, id: call.id, ended_at, output, summary };
  return [
    { mode: 'start', req: { start } },
    { mode: 'end', req: { end: { ...end, exception: null } } },
  ];
}

/** The row of `call_parts` into which the service converts a complete call. */
export function toCompleteRow(call: Call): object {
  return { ...toStartColumns(call), ...toEndColumns(call), kind: 'whole' };
}

/** The rows into which the service converts a start and its end. */
export function toStartAndEndRows(call: Call): object[] {
  const { project_id, id, trace_id } = call;
  return [
    { ...toStartColumns(call), kind: 'start' },
    { project_id, id, trace_id, ...toEndColumns(call), kind: 'end' },
  ];
}

function toStartColumns(call: Call): object {
  const { project_id, id, trace_id, thread_id, op_name } = call;
  return {
    ...{ project_id, id, trace_id, thread_id, op_name },
    parent_id: call.parent_id ?? '',
    started_at: toDateTime(call.started_at),
    attributes_dump: JSON.stringify(call.attributes),
    inputs_dump: JSON.stringify(call.inputs),
  };
}

function toEndColumns(call: Call): object {
  return {
    ended_at: toDateTime(call.ended_at),
    output_dump: JSON.stringify(call.output),
    summary_dump: JSON.stringify(call.summary),
  };
}

function toDateTime(iso: string): string {
  return iso.slice(0, 23).replace('T', ' ');
}
